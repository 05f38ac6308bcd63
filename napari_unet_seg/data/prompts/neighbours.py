"""The prompt that the mask of a slice gives for the slice beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.data.prompts.simulation import click_maps

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


def neighbour_maps(mask: Array) -> Array:
    """Return maps (4, Y, X) for the slice beside one with a mask (Y, X), bool.

    The network in the package has not learnt what a neighbour's mask is, so that it gets a click
    into its middle.
    """
    return click_maps(mask)
