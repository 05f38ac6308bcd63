"""Sliding windows: where tiles start, and how they are blended (pure numpy)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Evenly spaced starts of tiles along one axis; the last tile ends at the border.

    Parameters
    ----------
    length, tile : int
        Pixels of the axis and of a tile; an axis shorter than a tile has one tile.
    overlap : float
        Least share of a tile that neighbours have in common, in 0…1.
    """
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = -(-(length - tile) // step) + 1
    return [round(start) for start in np.linspace(0, length - tile, count)]


def blend_window(*size: int) -> Array:
    """Gaussian weights of a tile of this size, float32, never zero.

    As in Isensee et al. 2021 (nnU-Net): sigma of an eighth of the tile along each axis.
    """
    window = np.ones(size, np.float32)
    for axis, length in enumerate(size):
        distance = np.arange(length) - (length - 1) / 2
        profile = np.exp(-0.5 * (distance / (length / 8)) ** 2)
        window *= profile.reshape(-1, *[1] * (len(size) - axis - 1)).astype(np.float32)
    return np.maximum(window, 1e-3)
