"""Meaning of the numbers in a TIFF: indices of a palette, or greys with white as 0."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.masks.values import Meaning, classify

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array


def palette_of(file: tifffile.TiffFile) -> Array | None:
    """Return the palette of a file's first series, None if it stores no indices.

    Returns
    -------
    array or None
        uint8 of shape (N,) for a palette of greys, (N, 3) for one of colours.
    """
    page = file.series[0].keyframe
    if page.photometric != tifffile.PHOTOMETRIC.PALETTE or page.colormap is None:
        return None
    values = np.asarray(page.colormap)
    # Some programs store 8 bits instead of the 16 bits that TIFF asks for.
    colours = (values >> 8 if values.max(initial=0) > 255 else values).astype(np.uint8)
    is_grey = (colours == colours[0]).all()
    return colours[0] if is_grey else np.ascontiguousarray(colours.T)


def bright(data: Array, page: Any, path: Path, *, as_mask: bool = False) -> tuple[Array, list[str]]:
    """Invert integers of which 0 is white; return a note if they are.

    In a mask black and white are inverted, but never the numbers of labels.
    """
    black = _black(page, data.dtype)
    if black is None or (as_mask and _holds_labels(data, path)):
        return data, []
    note = f"{path.name} stores white as 0; its values are inverted, so that high ones are bright."
    return np.asarray(black - data, data.dtype), [note]


def _holds_labels(data: Array, path: Path) -> bool:
    found = classify(data, str(path))
    return found.meaning is Meaning.LABELS or found.top == 1


def black_of(path: Path) -> int | None:
    """Return the value of black in a TIFF of which 0 is white, None for any other file.

    The header is read once for each version of a file.
    """
    try:
        return _black_of(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _black_of(path: Path, changed: int) -> int | None:
    try:
        with reading(path, "a TIFF"), tifffile.TiffFile(path) as file:
            page = file.pages[0].aspage()
            return _black(page, np.dtype(page.dtype))
    except DataError:
        return None


def _black(page: Any, dtype: np.dtype[Any]) -> int | None:
    """Return the value of black, None unless a page holds greys of which 0 is white."""
    bits = int(np.max(page.bitspersample))
    is_inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    if not is_inverted or bits == 1 or dtype.kind not in "ui":
        return None
    return -1 if dtype.kind == "i" else (1 << bits) - 1
