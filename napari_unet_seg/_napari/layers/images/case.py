"""The case of a layer, and the sequence of the case that an image shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_unet_seg._napari.layers.conversion import file_of, is_user_layer
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.cases.names import case_name
from napari_unet_seg.io.common.channels import channel_names
from napari_unet_seg.io.common.names import sequence_in
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.models.description import model_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import LayerList
    from napari.layers import Layer

    from napari_unet_seg._napari.layers.layer_record import ModelFile

_MASK = " mask"
"""What the name of a mask has after that of its image."""


def case_of(layer: Layer) -> str:
    """Return the name of a layer's case: as its reader names it, else by its file.

    A layer without a file is a case of its own, with the name of the layer, or of the image that
    its mask was drawn on.
    """
    if case := record_of(layer).case:
        return case
    path = file_of(layer)
    own = layer.name.partition(f"{_MASK} · ")[0].removesuffix(_MASK)
    return own if path is None else case_name(path)


def mask_name(image: Image, model: ModelFile | None, layers: LayerList) -> str:
    """Return the name of a new mask of an image; that of a further one tells its model too."""
    name = f"{image.name}{_MASK}"
    if model is None or name not in layers:
        return name
    return f"{name} · {model_name(Path(model.path), dated=False)}"


def sequence_of(image: Image) -> str:
    """Return the name of the sequence that an image shows, `FLAIR`; empty if nothing tells it."""
    record = record_of(image)
    if record.sequence:
        return record.sequence
    if record.channel is not None and record.scan is not None:
        return channel_names(record.scan)[record.channel]
    path = file_of(image)
    return sequence_in(image.name if path is None else short_name(path)) or ""


def other_sequences(image: Image, layers: Iterable[Layer]) -> list[Image]:
    """Return the images among `layers` that show other files or channels of an image's case.

    The channels of one file are no other sequences: they are read with it.
    """
    case, path = case_of(image), file_of(image)
    return [
        other
        for other in layers
        # Compared by id, as napari gives plugins proxies of layers.
        if is_user_layer(other, Image)
        and other.unique_id != image.unique_id
        and (own := file_of(other)) is not None
        and case_of(other) == case
        and (own != path or _is_of_four_dimensions(other, image))
    ]


def _is_of_four_dimensions(other: Image, image: Image) -> bool:
    """Whether two images are channels of one file that has them along time, as NIfTI has."""
    records = record_of(other), record_of(image)
    return all(r.channel is not None and r.scan and "C" not in r.scan.axes for r in records)
