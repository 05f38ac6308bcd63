"""The prompt that the mask of a slice gives for the slice beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.ndimage import binary_dilation

from napari_unet_seg.data.prompts.marks import BOX, no_prompts

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

LOOSE = 2
"""Pixels between the mask of a slice and the lasso that it gives for the slice beside."""


def neighbour_maps(mask: Array) -> Array:
    """Return maps (4, Y, X) for the slice beside one with a mask (Y, X), bool: a loose lasso."""
    return lasso_maps(binary_dilation(mask, iterations=LOOSE) if mask.any() else mask)


def lasso_maps(lasso: Array) -> Array:
    """Return maps (4, Y, X) of a lasso (Y, X), bool, around an object that is known nearby.

    Given as the present mask it would be kept, and a click into its middle would not tell its size.
    """
    maps = no_prompts(lasso.shape)
    maps[BOX] = lasso
    return maps
