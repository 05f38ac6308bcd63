"""The case of a layer, and the sequence of the case that an image shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.layers.conversion import file_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.cases.names import case_name
from napari_unet_seg.io.common.channels import channel_names
from napari_unet_seg.io.common.names import sequence_in
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from napari.layers import Image, Layer


def case_of(layer: Layer) -> str:
    """Return the name of a layer's case: as its reader names it, else by its file.

    A layer without a file is a case of its own, with the name of the layer, or of the image that
    its mask was drawn on.
    """
    if case := record_of(layer).case:
        return case
    path = file_of(layer)
    return layer.name.removesuffix(" mask") if path is None else case_name(path)


def sequence_of(image: Image) -> str:
    """Return the name of the sequence that an image shows, `FLAIR`; empty if nothing tells it."""
    record = record_of(image)
    if record.sequence:
        return record.sequence
    if record.channel is not None and record.scan is not None:
        return channel_names(record.scan)[record.channel]
    path = file_of(image)
    return sequence_in(image.name if path is None else short_name(path)) or ""
