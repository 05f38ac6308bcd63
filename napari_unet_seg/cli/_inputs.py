"""The scans that the program is to segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg.cli._slices import output_names
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.find import find_scans, no_scans

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.cli._work import Failure


@dataclass(frozen=True, slots=True)
class Input:
    """A scan, and the name of its mask."""

    path: Path
    """A file, or the folder of a DICOM series or an OME-Zarr."""
    name: str


def list_inputs(paths: Sequence[Path]) -> tuple[list[Input], list[Failure]]:
    """Find the scans in files and folders.

    Parameters
    ----------
    paths : sequence of Path
        As the user gave them.

    Returns
    -------
    list of Input
        At least one.
    list of Failure
        The paths that hold no scan, or some that are left out.

    Raises
    ------
    DataError
        If there is no scan at all.
    """
    found: dict[Path, None] = {}
    failed: list[Failure] = []
    for path in paths:
        scans = find_scans(path)
        if not scans:
            failed.append((str(path), _nothing(path)))
        elif path.is_dir() and path not in scans and any(path.glob("*.dcm")):
            failed.append((str(path), _mixed(path)))
        found |= dict.fromkeys(scans)
    if not found:
        raise DataError(failed[0][1])
    files = list(found)
    return [Input(*pair) for pair in zip(files, output_names(files), strict=True)], failed


def _mixed(folder: Path) -> str:
    return (
        f"{folder} holds DICOM files beside other scans, and those are left out; give the DICOM "
        "files a folder of their own."
    )


def _nothing(path: Path) -> str:
    if path.exists():
        return str(no_scans(path))
    return f"{path} does not exist; check the name or choose another file."
