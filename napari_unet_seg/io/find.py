"""The scan files of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import is_backup
from napari_unet_seg.io.images.photographs import SUFFIXES, TIFF_SUFFIXES
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = (*SUFFIXES, *TIFF_SUFFIXES, ".nii", ".nii.gz", ".npy")


def scan_files(folder: Path) -> list[Path]:
    """List the scan files and OME-Zarr folders in a folder, sorted, without hidden and backups."""
    found = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and not is_backup(p))
    return [p for p in found if (_is_scan_file(p) if p.is_file() else is_zarr(p))]


def no_scans(path: Path) -> DataError:
    """Return the error for a folder without scans."""
    return DataError(
        f"{path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    )


def _is_scan_file(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)
