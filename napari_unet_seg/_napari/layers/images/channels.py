"""Scans with several channels, the sequences of an examination: a layer for each channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_unet_seg._napari.layers.conversion import file_of, is_user_layer, scan_options
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.layer_record import EMPTY_RECORD, LayerRecord, record_of
from napari_unet_seg.io.common.channels import channel_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]


def image_layers(scan: Scan, name: str, record: LayerRecord = EMPTY_RECORD) -> list[LayerData]:
    """Return a scan as image layers for napari: one layer, or a layer for each channel.

    Colour channels share one layer. The layer of the first channel is the last in the list, so
    that napari shows and selects that layer; the other channels are hidden below.

    Parameters
    ----------
    scan : Scan
        The scan to show.
    name : str
        Name of the layer, or start of the names of the channels' layers.
    record : LayerRecord
        Further fields of the layers' records.
    """
    options = scan_options(scan, name, record=record)
    if "C" not in scan.axes or options["rgb"]:
        return [(scan.data, options, "image")]
    return [_layer(scan, name, channel, record) for channel in reversed(range(scan.data.shape[-1]))]


def show_channel(viewer: ViewerModel, image: Image) -> None:
    """Show a channel or sequence that is hidden or covered, and hide the others of its case."""
    images = images_of_case(image, viewer.layers)
    at = [layer.unique_id for layer in images].index(image.unique_id)
    covered = any(i.visible for i in images[at + 1 :])
    if image.visible and not covered:
        return
    image.visible = True
    for other in images:
        if other.unique_id != image.unique_id:
            other.visible = False


def images_of_case(image: Image, layers: Iterable[Layer]) -> list[Image]:
    """Return an image among `layers`, and those that show other channels or sequences of its case.

    They are in the order of the layers, the topmost last.
    """
    return [
        other
        for other in layers
        # Compared by id, as napari gives plugins proxies of layers.
        if is_user_layer(other, Image)
        and (other.unique_id == image.unique_id or _is_of_case(other, image))
    ]


def _is_of_case(other: Image, image: Image) -> bool:
    own, theirs = file_of(image), file_of(other)
    if own == theirs and None not in (record_of(image).channel, record_of(other).channel):
        return True  # channels of a scan, which need not be in a file
    return None not in (own, theirs) and case_of(other) == case_of(image)


def _layer(scan: Scan, name: str, channel: int, record: LayerRecord) -> LayerData:
    title = f"{name} · {channel_names(scan)[channel]}"
    options = scan_options(scan, title, record=replace(record, channel=channel))
    options["visible"] = channel == 0
    return scan.data[..., channel], options, "image"
