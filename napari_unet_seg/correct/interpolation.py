"""Shape-based interpolation of masks between key slices (Raya and Udupa 1990)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.correct.shapes import Distances, Mask, box_of, depth

if TYPE_CHECKING:
    from collections.abc import Iterable


def interpolate(volume: Mask, keys: Iterable[int]) -> Mask:
    """Replace the mask between neighbouring key slices by interpolated shapes.

    Parameters
    ----------
    volume : array of bool, shape (Z, Y, X)
        The mask of one category.
    keys : iterable of int
        Indices of the key slices, which do not change. Slices between two neighbouring key slices
        that hold the category are replaced. A key slice without the category ends the object:
        slices between this key slice and its neighbours do not change, nor do slices before the
        first and after the last key slice.

    Returns
    -------
    array of bool, shape (Z, Y, X)
        A new array.
    """
    filled = volume.copy()
    for first, last in pairwise(sorted(set(keys))):
        if last - first > 1 and volume[first].any() and volume[last].any():
            # Beyond one pixel around both shapes, all that lies between them is outside.
            box = box_of(volume[first] | volume[last], 1)
            filled[first + 1 : last] = False
            ends = signed_distance(volume[first][box]), signed_distance(volume[last][box])
            for index in range(first + 1, last):
                filled[index][box] = between(*ends, (index - first) / (last - first))
    return filled


def between(first: Distances, last: Distances, part: float) -> Mask:
    """Return the mask at the share `part` in 0…1 of the way between two signed distances."""
    blend: Mask = (1 - part) * first + part * last > 0
    return blend


def signed_distance(plane: Mask) -> Distances:
    """Return the distance to the border in pixels, positive inside the mask.

    The border runs halfway between the pixels inside and outside.
    """
    inside, outside = depth(plane, ()), depth(~plane, ())
    return np.where(plane, inside - 0.5, 0.5 - outside)
