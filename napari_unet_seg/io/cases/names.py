"""Names that follow a case: of its sessions and runs, and of the files of its masks."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.layouts import patients
from napari_unet_seg.io.cases.tree import Tree
from napari_unet_seg.io.common.names import is_visit, names_mask, natural, patient_in
from napari_unet_seg.io.common.optional_dependencies import is_installed
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.find import scan_files
from napari_unet_seg.io.images.slice_stacks import stack_name, stacks_in
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COLLECTION = re.compile(r"images?(Tr|Ts|Val)?")
"""Names of folders whose files are cases of their own."""
_CHANNEL = re.compile(r"_\d{4}$")
"""End of the name of a channel's file in nnU-Net's layout."""


def case_name(scan: Path) -> str:
    """Return the name of the case that a scan or a mask belongs to, as a plan would name it.

    The folder of the file is listed, but no file is read: `T1c.nii.gz` beside `FLAIR.nii.gz` is of
    the case that their folder is named after.

    Parameters
    ----------
    scan : Path
        A file or OME-Zarr, or the folder of a DICOM series or a stack of slices.
    """
    if os.path.isdir(scan) and not is_zarr(scan):
        return _folder_name(scan.absolute())
    scan, name = scan.absolute(), short_name(scan)
    patient, visit = patient_in(name)
    if patient.startswith("sub-"):  # in BIDS the folder `anat` names no case
        return "_".join(filter(None, (patient, visit)))
    if _COLLECTION.fullmatch(scan.parent.name):
        return _CHANNEL.sub("", name)
    with suppress(OSError, DataError):
        return _planned(scan) or name
    return name


def mask_path(scan: Path, slices: Sequence[Path] = ()) -> Path:
    """Return where a new mask of a scan is kept: beside the scan, in its format, named as its mask.

    TIFF stands for formats that hold no mask. The mask of an OME-Zarr is one of its labels; that of
    a folder of DICOM or slices lies in the folder, named after its stack if there are several. A
    mask of a DICOM series is NIfTI where the package that writes DICOM SEG is missing.

    Parameters
    ----------
    scan : Path
        As for `case_name`; the file of a mask is returned as it is, if its format holds masks.
    slices : sequence of Path, optional
        The files of the stack, which tell it from the others in its folder.
    """
    if is_zarr(scan):
        return scan / "labels" / "mask"
    if os.path.isdir(scan):
        stacks = stacks_in(scan)
        named = [stack_name(start) for start, files in stacks.items() if {*files} & {*slices}]
        name = named[0] if named and len(stacks) > 1 else ""
        return scan / f"{name or scan.absolute().name}_mask{'.tif' if stacks else _dicom_suffix()}"
    stem, own = split_suffix(scan)
    kept = own if own.lower() in (".nii", ".nii.gz", ".tif", ".tiff") else ".tif"
    suffix = _dicom_suffix() if own.lower() in (".dcm", "") else kept
    return scan.with_name(f"{stem}{'' if names_mask(stem) else '_mask'}{suffix}")


def _folder_name(folder: Path) -> str:
    """Return the name of a patient's folder, with that of the patient before one of a visit."""
    parent = folder.parent.name
    return f"{parent}_{folder.name}" if parent and is_visit(folder.name) else folder.name


def _planned(scan: Path) -> str | None:
    """Return the name that the plan of its folder gives to the case of a file."""
    folder = scan.parent
    files = sorted(scan_files(folder), key=lambda path: natural(path.name))
    # As if two folders further up had been opened: the folder is that of a patient or a visit.
    root = folder.parent.parent
    plan = patients.plan(Tree(root, {folder: tuple(files)}))
    for case in plan.cases if plan is not None else ():
        if any(scan in s.files for s in (*case.sequences.values(), *case.masks.values())):
            return case.name
    return None


def _dicom_suffix() -> str:
    return ".dcm" if is_installed("highdicom") else ".nii.gz"
