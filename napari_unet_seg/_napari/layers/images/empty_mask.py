"""A mask to begin with where no network is to draw one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import add_labels, scan_from_layer
from napari_unet_seg._napari.layers.images.case import mask_name
from napari_unet_seg.config import Category

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

FIRST = Category(id=1, name="lesion")
"""The category of an empty mask, which the user can rename."""


def add_empty_mask(viewer: ViewerModel, image: Image) -> Labels:
    """Add a mask without pixels on the grid of an image.

    Raises
    ------
    DataError
        If the image has too many dimensions.
    """
    nothing = np.zeros(scan_from_layer(image).grid_shape, np.uint8)
    name = mask_name(image, None, viewer.layers)
    return add_labels(viewer, nothing, image, (FIRST,), name)
