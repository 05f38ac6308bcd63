"""The scans that the program is to segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg._mask_sources import scan_files
from napari_unet_seg.cli._slices import output_names
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.ome_zarr import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Input:
    """A scan, and the name of its mask."""

    path: Path
    """A file, or the folder of a DICOM series or an OME-Zarr."""
    name: str


def list_inputs(paths: Sequence[Path], failed: list[tuple[str, str]]) -> list[Input]:
    """Find the scans in files and folders.

    Parameters
    ----------
    paths : sequence of Path
        As the user gave them.
    failed : list
        Gets what holds no scan, or some that are left out, with its problem, where another path
        holds one.

    Raises
    ------
    DataError
        If there is no scan at all.
    """
    found: dict[Path, None] = {}
    for path in paths:
        scans = _scans(path)
        if not scans:
            failed.append((str(path), _nothing(path)))
        elif path.is_dir() and path not in scans and any(path.glob("*.dcm")):
            failed.append((str(path), _mixed(path)))
        found |= dict.fromkeys(scans)
    if not found:
        raise DataError(failed[0][1])
    files = list(found)
    return [Input(*pair) for pair in zip(files, output_names(files), strict=True)]


def _scans(path: Path) -> list[Path]:
    if not path.is_dir() or is_zarr(path):
        return [path] if path.exists() else []
    return scan_files(path) or ([path] if _holds_dicom(path) else [])


def _holds_dicom(folder: Path) -> bool:
    from napari_unet_seg.io.dicom_frames import is_dicom

    return any(is_dicom(p) for p in sorted(folder.iterdir()) if p.is_file())


def _mixed(folder: Path) -> str:
    return (
        f"{folder} holds DICOM files beside other scans, and those are left out; give the DICOM "
        "files a folder of their own."
    )


def _nothing(path: Path) -> str:
    if path.exists():
        return f"{path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    return f"{path} does not exist; check the name or choose another file."
