"""The masks that an image had before it was segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.owner import image_of

if TYPE_CHECKING:
    from napari.viewer import ViewerModel


def hide_other_masks(viewer: ViewerModel, mask: Labels, image: Image) -> list[Labels]:
    """Hide the other masks of the image of a new mask, which they would cover or be mixed with.

    Returns
    -------
    list of Labels
        The masks that were on screen.
    """
    images = [layer for layer in viewer.layers if is_user_layer(layer, Image)]
    masks = [layer for layer in viewer.layers if is_user_layer(layer, Labels)]
    others = [m for m in masks if m is not mask and m.visible and image_of(m, images) is image]
    for other in others:
        other.visible = False
    return others
