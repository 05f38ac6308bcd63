"""Meaning of the numbers in a TIFF: indices of a palette, or greys with white as 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_unet_seg.io.common.mask_values import Meaning, classify

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
    bits = int(np.max(page.bitspersample))
    is_inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    if not is_inverted or bits == 1 or data.dtype.kind not in "ui":
        return data, []
    if as_mask and _holds_labels(data, path):
        return data, []
    highest = -1 if data.dtype.kind == "i" else (1 << bits) - 1
    note = f"{path.name} stores white as 0; its values are inverted, so that high ones are bright."
    return np.asarray(highest - data, data.dtype), [note]


def _holds_labels(data: Array, path: Path) -> bool:
    reading = classify(data, str(path))
    return reading.meaning is Meaning.LABELS or reading.top == 1
