"""The layers that were open before a data set is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.layer_record import record_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel

_SAMPLE = "napari-unet-seg"


def put_aside(viewer: ViewerModel) -> None:
    """Hide all images and masks, since two scans on each other show neither.

    A sample scan that has no mask yet is removed: hidden, its units would still differ.
    """
    masked = {record_of(layer).image for layer in viewer.layers if isinstance(layer, Labels)}
    for layer in list(viewer.layers):
        if _is_sample(layer) and layer.unique_id not in masked:
            viewer.layers.remove(layer)
        elif isinstance(layer, Image | Labels):
            layer.visible = False


def _is_sample(layer: Layer) -> bool:
    sample = layer.source.sample
    return isinstance(layer, Image) and sample is not None and sample[0] == _SAMPLE
