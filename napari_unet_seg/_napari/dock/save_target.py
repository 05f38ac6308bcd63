"""Where a mask is saved: the formats, and the file that is proposed for a mask."""

from __future__ import annotations

import os
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.dicom.signature import holds_dicom, is_dicom
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Collection

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

_MAX_SNIFFED = 20
"""Number of files of a folder that are examined to find DICOM."""


def formats_for(mask: Labels | None) -> tuple[Format, ...]:
    """Return the formats that a mask can be saved in."""
    path = scan_path(mask)
    left_out = set() if path is not None and is_zarr(path) else {ZARR_LABEL}
    if path is None or not _is_of_dicom(path):
        left_out |= {SEG, PATIENT_SEG}
    return tuple(each for each in FORMATS if each not in left_out)


def format_of_scan(mask: Labels | None) -> Format:
    """Return the format of a mask's scan; TIFF for scans in formats without masks."""
    path = scan_path(mask)
    if path is None:
        return TIFF
    if is_zarr(path):
        return ZARR_LABEL
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return NIFTI
    if path.suffix.lower() == ".json":
        return COCO
    if _is_of_dicom(path):
        return SEG if find_spec("highdicom") else NIFTI
    return TIFF


def target(mask: Labels, kind: Format, folder: Path, own: Collection[Path] = ()) -> Path:
    """Return a path for a mask next to its scan, where no other file is.

    Parameters
    ----------
    mask : Labels
        The mask to save.
    kind : Format
        The format to save it in.
    folder : Path
        The folder for a mask whose scan has no file, or whose folder cannot be written to.
    own : collection of Path
        Files that this mask was saved to, which may be replaced.
    """
    scan = scan_path(mask)
    name = f"{short_name(scan)}_mask" if scan is not None else mask.name
    if scan is not None and os.access(scan.parent, os.W_OK):
        folder = scan.parent
    if kind == ZARR_LABEL and scan is not None:
        folder = scan / "labels"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    paths = (folder / f"{each}{kind.suffix}" for each in names)
    return next(path for path in paths if path in own or not path.exists())


def scan_path(mask: Labels | None) -> Path | None:
    """Return the file or folder of a mask's scan; a mask from COCO is of the COCO file."""
    if mask is None:
        return None
    record = record_of(mask)
    if record.coco is not None:
        return Path(record.coco.source.path)
    return record.scan.path if record.scan is not None else None


def _is_of_dicom(path: Path) -> bool:
    try:
        return holds_dicom(path, most=_MAX_SNIFFED) if path.is_dir() else is_dicom(path)
    except OSError:
        return False
