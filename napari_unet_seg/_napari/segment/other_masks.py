"""The masks that a case had before one of its images was segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.images.owner import image_of, is_on_grid

if TYPE_CHECKING:
    from napari.viewer import ViewerModel


def hide_other_masks(viewer: ViewerModel, mask: Labels, image: Image) -> list[Labels]:
    """Hide the other masks of the case of a new mask, which they would cover or be mixed with.

    Those on the image's grid whose image is not known are hidden too.

    Returns
    -------
    list of Labels
        The masks that were on screen.
    """
    images = [layer for layer in viewer.layers if is_user_layer(layer, Image)]
    masks = [layer for layer in viewer.layers if is_user_layer(layer, Labels)]
    others = [m for m in masks if m is not mask and m.visible and _covers(m, image, images)]
    for other in others:
        other.visible = False
    return others


def _covers(mask: Labels, image: Image, images: list[Image]) -> bool:
    own = image_of(mask, images)
    return is_on_grid(mask, image) if own is None else case_of(own) == case_of(image)
