"""The prompt that the mask of a slice gives for the slice beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_unet_seg.data.prompts.marks import BOX, Rng, corrected, no_prompts, smooth_noise
from napari_unet_seg.data.prompts.prior_masks import nearly

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

_LOOSE = 2
"""Pixels between the mask of another slice and the lasso around it."""
_ENDED = 0.25
"""Share of the simulated slices beside whose object has ended, so that a mask is not carried on for
ever."""
_DARK = 20
"""Mean grey of 255 of background, where no mask would be."""
_CORRECTED = 0.2
"""Share of the masks of another slice that are the present mask and get a correction."""


def lasso_maps(lasso: Array) -> Array:
    """Return maps (4, Y, X) of a lasso (Y, X), bool, around an object that is known nearby.

    Given as the present mask it would be kept, and a click into its middle would not tell its size.
    """
    maps = no_prompts(lasso.shape)
    maps[BOX] = lasso
    return maps


def carried_maps(beside: Array, target: Array, rng: Rng) -> Array:
    """Return first maps from the mask of another slice: mostly a lasso, or a mask to correct.

    Parameters
    ----------
    beside : array
        The mask of the other slice, bool of shape (Y, X).
    target : array
        What is meant on this slice; empty if the object has ended.
    rng : Generator
        Source of randomness.
    """
    if rng.random() < _CORRECTED and target.any():
        return corrected(no_prompts(target.shape), beside, target, rng)
    return lasso_maps(ndimage.binary_dilation(beside, iterations=_LOOSE))


def beside_simulated(image: Array, truth: Array, rng: Rng) -> tuple[Array, bool]:
    """Simulate the mask of the slice beside, where it is not known.

    Parameters
    ----------
    image : array
        The slice, uint8 of shape (Y, X).
    truth : array
        The mask of the slice, bool, not empty.
    rng : Generator
        Source of randomness.

    Returns
    -------
    array
        The mask of the slice beside.
    bool
        Whether the slice holds the object of that mask.
    """
    if rng.random() < _ENDED:
        other = np.roll(truth, rng.integers(-40, 41, 2), (0, 1))
        other = other[:, ::-1] if rng.random() < 0.5 else other[::-1]
        if not (other & truth).any() and image[other].mean() > _DARK:
            return other, False
    return of_another_slice(truth, rng), True


def of_another_slice(truth: Array, rng: Rng) -> Array:
    """Simulate the mask some millimetres away: smaller or larger, uneven, and shifted."""
    signed = ndimage.distance_transform_edt(~truth) - ndimage.distance_transform_edt(truth)
    radius = np.sqrt(np.count_nonzero(truth) / np.pi)
    wave = smooth_noise(truth.shape, rng.uniform(8, 24), rng) * rng.uniform(0, 0.25 * radius)
    mask = signed + wave < radius * rng.uniform(-0.65, 0.5)
    shift = np.rint(rng.normal(0, 0.12 * radius + 1, 2)).astype(int)
    mask = ndimage.shift(mask.astype(np.uint8), shift, order=0) > 0
    return np.asarray(mask if mask.any() else nearly(truth, rng))
