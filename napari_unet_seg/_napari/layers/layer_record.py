"""The record of a layer: what the plugin stores with it, apart from its pixels and geometry.

The record is one immutable object under one key of `layer.metadata`. napari copies that dict when
it duplicates or splits a layer or calls a writer; the copies share the record, and a change to one
layer replaces only the record of that layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from napari_unet_seg._napari.layers.slice_values import SliceValues

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from napari.layers import Layer

    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.results import Results
    from napari_unet_seg.io.coco.source import CocoSource
    from napari_unet_seg.io.common.places import Place
    from napari_unet_seg.io.common.scan import Scan

Values = Literal["classes", "instances"]

_KEY = "unet_seg"


class ModelFile(NamedTuple):
    """The checkpoint that predicted a mask."""

    path: str
    sha256: str | None = None


class CocoImages(NamedTuple):
    """The images of a COCO file that a stack shows."""

    source: CocoSource
    ids: tuple[Id, ...]
    """The image id of each slice."""
    boxes: bool = False
    """Whether annotations that have only a box are drawn."""
    drawn: bool = False
    """Whether the labels of the layer were drawn from the annotations of the file."""


class DrawnResults(NamedTuple):
    """The results of a model that a mask was drawn from."""

    results: Results
    threshold: float
    """Lowest score of the results that were drawn."""
    checksum: int
    """Of the labels as they were drawn."""


class MapRecord(NamedTuple):
    """A map or overlay that the plugin draws for a mask."""

    kind: str
    """The quantity, `probability of tumour` for example."""
    mask: Hashable = None
    """The `unique_id` of the mask with which the map was predicted."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerRecord:
    """The plugin's data on a layer; layers of other origin have the default values."""

    scan: Scan | None = None
    """The scan as read from its file, without its pixels."""
    independent: bool = False
    """Whether the slices are independent images, not slices of one volume."""
    names: tuple[str, ...] = ()
    """File names of the slices."""
    channel: int | None = None
    """The channel that an image shows, or a mask was made from; None for all channels."""
    case: str = ""
    """Name of the layer's case, where the reader knows it; see `case_of`."""
    sequence: str = ""
    """Name of the sequence that an image shows, or a mask was made from, where the reader knows it;
    see `sequence_of`."""
    coco: CocoImages | None = None
    """The COCO file that the slices, or their masks, came from."""
    results: DrawnResults | None = None
    """The model's results that the mask was drawn from."""

    categories: tuple[Category, ...] = ()
    """The categories of the labels, from 1; the categories of `instances` if that is set."""
    order: tuple[str, ...] = ()
    """Names of the categories in the order of lists; empty for the order of the labels."""
    merged: tuple[tuple[Id, Id | None], ...] = ()
    """Ids of removed categories, and of those that got their pixels; None for background."""
    values: Values = "classes"
    """Whether a label is a category or a single object."""
    instances: Instances | None = None
    """The annotations of a COCO file that the labels were drawn from."""
    guessed: bool = False
    """Whether the file opened as a mask because of its values alone."""
    image: Hashable = None
    """The `unique_id` of the image that a mask was made from."""
    locked: frozenset[int] = frozenset()
    """Labels of locked categories."""
    from_file: bool = False
    """Whether the mask was read from a file, not made in this window."""
    read_from: Source | None = None
    """The files of the mask, where its reader knows them; see `mask_source`."""

    model: ModelFile | None = None
    """The checkpoint that predicted the mask."""
    predicted: SliceValues[int] = field(default_factory=SliceValues)
    """The checksum of each predicted slice."""
    predicted_dice: SliceValues[float] = field(default_factory=SliceValues)
    """The predicted Dice of each slice."""
    carried: SliceValues[int] = field(default_factory=SliceValues)
    """The checksum of each slice that an object was carried to, which nobody has drawn."""
    decided: frozenset[Place] = frozenset()
    """Places of the slices that were decided on in the open session."""

    map: MapRecord | None = None
    """The map or overlay that the plugin draws in this layer."""
    preview: str = ""
    """The name of the preview that the plugin draws in this layer, empty for other layers."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def as_metadata(self) -> dict[str, Any]:
        """Return the `metadata` argument for a layer with this record."""
        return {_KEY: self}


EMPTY_RECORD = LayerRecord()
"""The record of a layer that the plugin did not add."""


def record_of(layer: Layer) -> LayerRecord:
    """Return the record of a layer."""
    return record_in(layer.metadata)


def record_in(metadata: Mapping[str, Any]) -> LayerRecord:
    """Return the record in a layer's `metadata`; napari's writers get metadata, not a layer."""
    record = metadata.get(_KEY)
    return record if isinstance(record, LayerRecord) else EMPTY_RECORD


def update_record(layer: Layer, **changes: Any) -> None:
    """Replace fields of a layer's record."""
    layer.metadata.update(replace(record_of(layer), **changes).as_metadata())
