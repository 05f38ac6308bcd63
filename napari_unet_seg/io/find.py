"""Search for scans in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.files import is_backup, split_suffix
from napari_unet_seg.io.dicom.signature import holds_dicom
from napari_unet_seg.io.images.photographs import SUFFIXES, TIFF_SUFFIXES
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MASK_ENDS = ("_mask", "_masks", "_seg", "_label", "_labels")
"""Ends that the name of a mask may have after the name of its scan."""
_SUFFIXES = (*SUFFIXES, *TIFF_SUFFIXES, ".nii", ".nii.gz", ".npy")


def scan_files(folder: Path) -> list[Path]:
    """List the scan files and OME-Zarr folders in a folder, sorted, without hidden and backups."""
    found = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and not is_backup(p))
    return [p for p in found if (_is_scan_file(p) if p.is_file() else is_zarr(p))]


def find_scans(path: Path) -> list[Path]:
    """Return the scans at a path: the file itself, the scans in a folder, or a DICOM folder.

    A DICOM folder holds DICOM files itself or in folders below it, as `list_series` reads it. In a
    folder, the masks of its scans are left out; see `masks_beside_scans`.
    """
    if not path.is_dir() or is_zarr(path):
        return [path] if path.exists() else []
    return _own_scans(path) or ([path] if holds_dicom(path) else [])


def masks_beside_scans(files: Sequence[Path]) -> list[Path]:
    """Return the files that are named as another of the files, followed by one of `MASK_ENDS`."""
    names = {split_suffix(path)[0] for path in files}
    masks = {name + end for name in names for end in MASK_ENDS}
    return [path for path in files if split_suffix(path)[0] in masks]


def find_scans_and_series(folder: Path) -> list[Path]:
    """Return the scans in a folder, and its subfolders that hold DICOM at any depth, sorted.

    Raises
    ------
    DataError
        If there are no scans, or the folder cannot be read.
    """
    try:
        inside = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
        series = [p for p in inside if not is_zarr(p) and holds_dicom(p)]
        own = _own_scans(folder) or [folder] * holds_dicom(folder, below=False)
        found = sorted({*own, *series})
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read ({error.strerror}); choose another folder."
        ) from error
    if not found:
        raise no_scans(folder)
    return found


def no_scans(path: Path) -> DataError:
    """Return the error for a folder without scans."""
    return DataError(
        f"{path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    )


def _own_scans(folder: Path) -> list[Path]:
    files = scan_files(folder)
    masks = set(masks_beside_scans(files))
    return [p for p in files if p not in masks]


def _is_scan_file(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)
