"""Tiles of a sliding window: positions and blending weights (numpy only)."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Return evenly spaced starts of tiles along one axis; the last tile ends at the border.

    Parameters
    ----------
    length, tile : int
        Length of the axis and of a tile in pixels; an axis shorter than a tile has one tile.
    overlap : float
        Least share of a tile that neighbouring tiles have in common, in 0…1.
    """
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = -(-(length - tile) // step) + 1
    return [round(start) for start in np.linspace(0, length - tile, count)]


def tile_slices(
    shape: tuple[int, ...], size: tuple[int, ...], overlap: float
) -> list[tuple[slice, ...]]:
    """Return the index of each tile in an image or volume.

    Parameters
    ----------
    shape, size : tuple of int
        Shape of the image and of a tile in pixels; tiles are cut to an axis that is shorter.
    overlap : float
        Least share of a tile that neighbouring tiles have in common, in 0…1.

    Returns
    -------
    list of tuple of slice
        In the order of the first axis, then of the next.
    """
    starts = [tile_starts(n, s, overlap) for n, s in zip(shape, size, strict=True)]
    return [
        tuple(slice(a, min(a + s, n)) for a, s, n in zip(corner, size, shape, strict=True))
        for corner in itertools.product(*starts)
    ]


def tile_weights(
    tile: tuple[slice, ...], shape: tuple[int, ...], size: tuple[int, ...], overlap: float
) -> Array:
    """Return the blending weights of one tile, float32 of the tile's shape.

    A quarter of the overlap has weight 0 along borders that lie inside the image: a network has
    no neighbouring pixels there, which would show as a seam.

    Parameters
    ----------
    tile : tuple of slice
        Index of the tile, from `tile_slices`.
    shape, size, overlap
        As `tile_slices` takes them.
    """
    weights = gaussian_weights(*size)[tuple(slice(0, s.stop - s.start) for s in tile)].copy()
    for axis, (part, length, extent) in enumerate(zip(tile, shape, size, strict=True)):
        along = np.moveaxis(weights, axis, 0)
        margin = int(extent * overlap) // 4
        if part.start > 0:
            along[:margin] = 0
        if part.stop < length:
            along[len(along) - margin :] = 0
    return weights


@functools.lru_cache(maxsize=8)
def gaussian_weights(*size: int) -> Array:
    """Return Gaussian weights of a tile of this size, float32 of 0.001…1, read-only.

    As in Isensee et al. 2021 (nnU-Net): sigma is an eighth of the tile along each axis.
    """
    weights = np.ones(size, np.float32)
    for axis, length in enumerate(size):
        distance = np.arange(length) - (length - 1) / 2
        profile = np.exp(-0.5 * (distance / (length / 8)) ** 2)
        weights *= profile.reshape(-1, *[1] * (len(size) - axis - 1)).astype(np.float32)
    weights = np.maximum(weights, 1e-3)
    weights.flags.writeable = False
    return weights
