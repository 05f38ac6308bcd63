"""Sliding windows: where tiles start, and how they are blended (pure numpy)."""

from __future__ import annotations

import functools
import itertools
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


def tile_places(
    shape: tuple[int, ...], size: tuple[int, ...], overlap: float
) -> list[tuple[slice, ...]]:
    """Where the tiles of an image or volume lie; an axis shorter than a tile has a short one."""
    starts = [tile_starts(n, s, overlap) for n, s in zip(shape, size, strict=True)]
    return [
        tuple(slice(a, min(a + s, n)) for a, s, n in zip(corner, size, shape, strict=True))
        for corner in itertools.product(*starts)
    ]


def tile_window(
    place: tuple[slice, ...], shape: tuple[int, ...], size: tuple[int, ...], overlap: float
) -> Array:
    """Weights that a tile has in the blend, float32 of the tile's shape.

    A quarter of the overlap counts nothing along borders that lie inside the image: a network
    sees no neighbours there, which would show as a seam.
    """
    window = blend_window(*size)[tuple(slice(0, p.stop - p.start) for p in place)].copy()
    for axis, (part, length, tile) in enumerate(zip(place, shape, size, strict=True)):
        along = np.moveaxis(window, axis, 0)
        margin = int(tile * overlap) // 4
        if part.start > 0:
            along[:margin] = 0
        if part.stop < length:
            along[len(along) - margin :] = 0
    return window


@functools.lru_cache(maxsize=8)
def blend_window(*size: int) -> Array:
    """Gaussian weights of a tile of this size, float32, never zero.

    As in Isensee et al. 2021 (nnU-Net): sigma of an eighth of the tile along each axis.
    """
    window = np.ones(size, np.float32)
    for axis, length in enumerate(size):
        distance = np.arange(length) - (length - 1) / 2
        profile = np.exp(-0.5 * (distance / (length / 8)) ** 2)
        window *= profile.reshape(-1, *[1] * (len(size) - axis - 1)).astype(np.float32)
    window = np.maximum(window, 1e-3)
    window.flags.writeable = False
    return window
