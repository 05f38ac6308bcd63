"""The prompt that the mask of a slice gives for the slice beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.data.prompts.marks import BOX, no_prompts

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


def lasso_maps(lasso: Array) -> Array:
    """Return maps (4, Y, X) of a lasso (Y, X), bool, around an object that is known nearby.

    Given as the present mask it would be kept, and a click into its middle would not tell its size.
    """
    maps = no_prompts(lasso.shape)
    maps[BOX] = lasso
    return maps
