"""Slices between corrected ones: shape-based interpolation (Raya and Udupa 1990)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.correct.shapes import Distances, Mask, box_of, depth

if TYPE_CHECKING:
    from collections.abc import Iterable


def interpolate(volume: Mask, keys: Iterable[int]) -> Mask:
    """Draw the slices between neighbouring key slices anew.

    Parameters
    ----------
    volume : array of bool, shape (Z, Y, X)
        The mask of one category.
    keys : iterable of int
        Slices that are right as they are. Between two of them that hold the category, what was
        there is replaced. A key slice without it ends the object: what lies between it and its
        neighbours stays as it is, as does what lies before the first and after the last one.

    Returns
    -------
    array of bool, shape (Z, Y, X)
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
    """Return the shape that lies `part` of the way (0 to 1) between two signed distances."""
    blend: Mask = (1 - part) * first + part * last > 0
    return blend


def signed_distance(plane: Mask) -> Distances:
    """Return the distance to the border in pixels, positive inside; the border is halfway."""
    inside, outside = depth(plane, ()), depth(~plane, ())
    return np.where(plane, inside - 0.5, 0.5 - outside)
