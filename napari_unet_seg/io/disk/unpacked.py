"""Limit of what compressed files unpack to, so that a small file does not fill the memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "NAPARI_UNET_SEG_UNPACKED"
"""Environment variable with the number of MiB that any file may unpack to."""
_ALWAYS = 512
"""MiB: 512 × 512 × 512 voxels of 4 bytes."""
_RATIO = 200
"""Images with noise unpack to a few times their size, and masks of many labels to a hundred."""


def check_unpacked(path: Path, needed: int) -> None:
    """Check that what a compressed file unpacks to can be meant.

    Parameters
    ----------
    path : Path
        The file.
    needed : int
        Bytes of its pixels.

    Raises
    ------
    DataError
        If they are more than 512 MiB and 200 times the file, and `VARIABLE` does not allow them.
    """
    size, mebibytes = path.stat().st_size, needed / 2**20
    if needed > size * _RATIO and mebibytes > max(_ALWAYS, _allowed()):
        raise DataError(
            f"{path} unpacks from {size / 2**20:.1f} to {mebibytes:.0f} MiB, which can hardly be "
            f"meant; if it is, set {VARIABLE}={mebibytes + 1:.0f} and try again."
        )


def _allowed() -> float:
    try:
        return float(os.environ.get(VARIABLE, ""))
    except ValueError:
        return 0.0
