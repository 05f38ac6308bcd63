"""The scan files of a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import is_backup
from napari_unet_seg.io.disk.listing import entries
from napari_unet_seg.io.images.photographs import SUFFIXES, TIFF_SUFFIXES
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = (*SUFFIXES, *TIFF_SUFFIXES, ".nii", ".nii.gz", ".npy")


def scan_files(folder: Path) -> list[Path]:
    """List the scan files and OME-Zarr folders in a folder, sorted, without hidden and backups."""
    return [path for path in entries(folder) if is_scan(path)]


def is_scan(path: Path) -> bool:
    """Whether a path is named as a scan file, or is an OME-Zarr folder, and is no backup."""
    if is_backup(path):
        return False
    return path.name.lower().endswith(_SUFFIXES) if os.path.isfile(path) else is_zarr(path)


def no_scans(path: Path) -> DataError:
    """Return the error for a folder without scans."""
    return DataError(
        f"{path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    )
