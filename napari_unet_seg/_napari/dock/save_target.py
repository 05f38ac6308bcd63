"""The formats in which a mask is saved, and the file that is proposed in each."""

from __future__ import annotations

import os
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.files.mask_path import proposed_mask_path
from napari_unet_seg._napari.layers.conversion import file_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from napari.layers import Labels


class Format(NamedTuple):
    """A format of mask files."""

    name: str
    suffix: str
    """The end of the file's name; empty for a folder."""
    pattern: str
    """The names that are files of the format, for a file dialog."""


NIFTI = Format("NIfTI", ".nii.gz", "*.nii.gz *.nii")
TIFF = Format("TIFF", ".tif", "*.tif *.tiff")
COCO = Format("COCO", ".json", "*.json")
ZARR = Format("OME-Zarr", ".zarr", "*.zarr")
ZARR_LABEL = Format("Labels of the OME-Zarr image", "", "*")
SEG = Format("DICOM SEG without the patient's data", ".dcm", "*.dcm")
PATIENT_SEG = Format("DICOM SEG that names the patient", ".dcm", "*.dcm")
BINARY = Format("Folder of 0/255 TIFFs", "", "*")
FORMATS = (NIFTI, TIFF, COCO, ZARR, ZARR_LABEL, SEG, PATIENT_SEG, BINARY)

_OF_SCAN = (ZARR_LABEL, SEG, PATIENT_SEG)
"""Formats for the masks of such scans alone."""
_BY_SUFFIX = {".nii": NIFTI, ".nii.gz": NIFTI, ".json": COCO, ".dcm": SEG, "": ZARR_LABEL}


def format_of(path: Path) -> Format:
    """Return the format that a proposed path tells."""
    return _BY_SUFFIX.get(split_suffix(path)[1].lower(), TIFF)


def formats_for(mask: Labels) -> tuple[Format, ...]:
    """Return the formats that a mask can be saved in."""
    own = format_of(proposed_mask_path(mask))
    offered = {SEG, PATIENT_SEG} if own == SEG else {own}
    return tuple(each for each in FORMATS if each in offered or each not in _OF_SCAN)


def target(mask: Labels, kind: Format, folder: Path, saved: Collection[Path] = ()) -> Path:
    """Return a path for a mask beside its scan, where no other file is.

    Parameters
    ----------
    mask : Labels
        The mask to save.
    kind : Format
        The format to save it in.
    folder : Path
        The folder for a mask whose own folder cannot be written to.
    saved : collection of Path
        Files that this mask was saved to, which may be replaced, as the file that it is from.
    """
    path = _in_format(proposed_mask_path(mask), kind)
    if closed_folder(mask, kind) is not None:
        path = folder / path.name
    own = {*saved, *origin_of(mask)}
    stem, suffix = split_suffix(path)
    names = chain([path.name], (f"{stem}-{number}{suffix}" for number in count(2)))
    paths = (path.with_name(name) for name in names)
    return next(each for each in paths if each in own or not each.exists())


def closed_folder(mask: Labels, kind: Format) -> Path | None:
    """Return the folder that a mask belongs into, if it cannot be written to."""
    path = _in_format(proposed_mask_path(mask), kind)
    parent = path.parents[1] if kind == ZARR_LABEL else path.parent
    return None if os.access(parent, os.W_OK) else parent


def _in_format(path: Path, kind: Format) -> Path:
    """Return a proposed path in another format."""
    own = format_of(path)
    if own == kind or {own, kind} == {SEG, PATIENT_SEG}:
        return path
    if own == ZARR_LABEL and is_zarr(image := path.parents[1]):
        path = image.with_name(f"{short_name(image)}_mask.zarr")
    return path.with_name(split_suffix(path)[0] + kind.suffix)


def origin_of(mask: Labels) -> set[Path]:
    """Return the file that a mask was opened from, if it was; its scan is none."""
    coco, path = record_of(mask).coco, file_of(mask)
    if coco is not None:
        return {coco.source.path} if coco.drawn else set()
    return {path} if path is not None and path == proposed_mask_path(mask) else set()
