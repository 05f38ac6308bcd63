"""Files that open as masks because of their values, and the way back to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.layers.conversion import (
    categories_for,
    file_of,
    grid_of,
    labels_options,
)
from napari_unet_seg._napari.layers.geometry import placement_of
from napari_unet_seg._napari.layers.images.channels import image_layers
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_of
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.io.masks.guess import labels_in
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from typing import Any

    from napari.layers import Image, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]


def guessed_mask(scan: Scan, name: str) -> LayerData | None:
    """Return a scan as a labels layer if it is a mask by its values, and say so; else None."""
    labels = labels_in(scan)
    if labels is None:
        return None
    show_info(
        f"{name} holds a few whole numbers, mostly 0, and opens as a mask; It is an image, below "
        "the views, opens it as an image."
    )
    record = LayerRecord(scan=grid_of(scan), guessed=True, from_file=True)
    options = labels_options(categories_for(labels, record), name, record)
    return labels, options | placement_of(scan), "labels"


def is_guessed(layer: Layer) -> bool:
    """Whether a layer is a mask by its values alone."""
    return record_of(layer).guessed and file_of(layer) is not None


def show_as_image(viewer: ViewerModel, mask: Layer) -> list[Image]:
    """Replace a mask that was guessed by its file as an image.

    Raises
    ------
    SegmentationError
        If the file cannot be read any more.
    """
    path = file_of(mask)
    if path is None:
        return []
    added = image_layers(read_scan(path), mask.name)
    viewer.layers.remove(mask)
    return [viewer.add_image(data, **options) for data, options, _ in added]
