"""Masks of the same voxels as their image in another order, as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import grid_of, scan_from_layer
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import update_record
from napari_unet_seg._napari.layers.slice_values import SliceValues
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.io.common.grids.turned import turned_onto

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_unet_seg.io.common.scan import Scan


def labels_on(mask: Labels, image: Image) -> Scan:
    """Return the labels of a layer on the grid of an image, see `turned_onto`.

    Raises
    ------
    DataError
        If the axes of both run in other directions, and their voxels are not the same.
    """
    return _turned(scan_from_layer(mask), mask, image)


def turn_onto_image(mask: Labels, image: Image) -> None:
    """Turn a layer to the axes of its image, if both hold the same voxels in another order.

    The layer then lies on the image. Its steps of undo and the values of its slices are lost.

    Raises
    ------
    DataError
        As `labels_on`.
    """
    stored = scan_from_layer(mask)
    turned = _turned(stored, mask, image)
    if turned is stored:
        return
    mask.data = np.ascontiguousarray(turned.data)
    for name, value in geometry_of(image).items():
        setattr(mask, name, value)
    update_record(
        mask,
        scan=grid_of(turned),
        image=image.unique_id,
        predicted=SliceValues(),
        predicted_dice=SliceValues(),
        carried=SliceValues(),
    )
    show_info(f"{mask.name} was turned to the axes of {image.name}; both hold the same voxels.")


def _turned(stored: Scan, mask: Labels, image: Image) -> Scan:
    names = (f"The mask {mask.name}", f"the image {image.name}")
    return turned_onto(stored, scan_from_layer(image), names)
