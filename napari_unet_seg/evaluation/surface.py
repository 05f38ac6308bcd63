"""Distances between the surfaces of masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, np.dtype[Any]]


def hd95(predicted: Array, truth: Array, spacing: tuple[float, ...]) -> float:
    """Compute the 95th percentile of the symmetric surface distance (HD95).

    After Huttenlocher et al. 1993, as the percentile of the pooled distances of both surfaces.

    Parameters
    ----------
    predicted, truth : array
        Booleans of one shape.
    spacing : tuple of float
        Voxel size along each axis.

    Returns
    -------
    float
        In the unit of `spacing`; NaN if one of the masks is empty.
    """
    if not predicted.any() or not truth.any():
        return float("nan")
    box = ndimage.find_objects((predicted | truth).astype(np.uint8))[0]
    surfaces = [_surface(mask[box]) for mask in (predicted, truth)]
    distances = [
        ndimage.distance_transform_edt(~other, sampling=spacing)[own]
        for own, other in (surfaces, surfaces[::-1])
    ]
    return float(np.percentile(np.concatenate(distances), 95))


def _surface(mask: Array) -> Array:
    return mask & ~ndimage.binary_erosion(mask)
