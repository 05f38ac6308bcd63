"""Simulated prior masks: nearly correct masks, as from other slices, models and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_unet_seg.data.prompts.marks import Rng, anywhere, smooth_noise

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


def nearly(truth: Array, rng: Rng) -> Array:
    """Return the truth with random errors: uneven borders, shifts, missing pieces and islands.

    The result is empty if the truth is.
    """
    if not truth.any():
        return truth.copy()
    mask = _uneven(truth, rng) if rng.random() < 0.8 else truth
    if rng.random() < 0.5:
        mask = _moved(mask, rng)
    if rng.random() < 0.3:
        mask = mask & (smooth_noise(mask.shape, rng.uniform(8, 24), rng) < rng.uniform(0.3, 1.5))
    if rng.random() < 0.25:
        mask = mask | _island(truth, rng)
    return np.asarray(mask)


def _uneven(truth: Array, rng: Rng) -> Array:
    """Move the border along its normals by up to about a fifth of the radius."""
    signed = ndimage.distance_transform_edt(~truth) - ndimage.distance_transform_edt(truth)
    radius = np.count_nonzero(truth) ** (1 / truth.ndim) / 2
    reach = min(5.0, 1 + radius / 5)
    level = rng.uniform(-reach, reach)
    wave = smooth_noise(truth.shape, rng.uniform(6, 20), rng) * rng.uniform(0, reach / 2)
    return np.asarray(signed + wave < level)


def _moved(mask: Array, rng: Rng) -> Array:
    """Shift a mask by a few pixels."""
    shift = np.rint(rng.normal(0, 2.5, mask.ndim)).astype(int)
    return np.asarray(ndimage.shift(mask.astype(np.uint8), shift, order=0) > 0)


def _island(truth: Array, rng: Rng) -> Array:
    """Return a disc or ball near the truth."""
    near = ndimage.binary_dilation(truth, iterations=int(rng.integers(5, 25)))
    centre, radius = anywhere(near, rng), rng.uniform(2, 8)
    grid = np.ogrid[tuple(slice(n) for n in truth.shape)]
    squares = [(g - p) ** 2 for g, p in zip(grid, centre, strict=True)]
    return np.asarray(sum(squares) <= radius**2)
