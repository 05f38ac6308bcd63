"""What a layer carries for the plugin, apart from its pixels and its geometry.

The record is one immutable object under one key of `layer.metadata`. napari copies that dict when
it duplicates a layer, splits it or hands it to a writer; the copies share the record, and a change
to one layer replaces the record of this layer alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from napari_unet_seg._napari.layers.by_place import ByPlace

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from napari.layers import Layer

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.source import CocoSource
    from napari_unet_seg.io.common.places import Place
    from napari_unet_seg.io.common.scan import Scan

Values = Literal["classes", "instances"]

_KEY = "unet_seg"


class ModelFile(NamedTuple):
    """The checkpoint that drew a mask."""

    path: str
    sha256: str | None = None


class CocoImages(NamedTuple):
    """The images of a COCO file that a stack shows."""

    source: CocoSource
    ids: tuple[int, ...]
    """One a slice."""
    boxes: bool = False
    """Whether annotations that have only a box are drawn."""


class Map(NamedTuple):
    """What a layer shows that the plugin draws over a mask."""

    kind: str
    """`probability of tumour` for example."""
    mask: Hashable = None
    """The `unique_id` of the mask with which it was predicted."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerRecord:
    """What a layer carries; the layers of others carry the default values."""

    scan: Scan | None = None
    """The grid of the scan as it was read, with its file, without its pixels."""
    independent: bool = False
    """Whether the slices are images of their own, not cuts of one volume."""
    names: tuple[str, ...] = ()
    """Files of the slices."""
    channel: int | None = None
    """Which channel of the scan an image shows, None if it shows all."""
    coco: CocoImages | None = None
    """The COCO file that the slices, or their masks, came from."""

    categories: tuple[Category, ...] = ()
    """What the label values, from 1, stand for; the categories of `instances` if that is set."""
    values: Values = "classes"
    """Whether a label value is a category, or a single object of one."""
    instances: Instances | None = None
    """The annotations of a COCO file that the label values were drawn from."""
    image: Hashable = None
    """The `unique_id` of the image that a mask was drawn on."""
    locked: frozenset[int] = frozenset()
    """Label values that must not change."""

    model: ModelFile | None = None
    """What predicted the mask."""
    predicted: ByPlace[int] = field(default_factory=ByPlace)
    """The checksum of each slice as it was predicted."""
    predicted_dice: ByPlace[float] = field(default_factory=ByPlace)
    """How well the mask of each slice fits, as the network estimates."""
    decided: frozenset[Place] = frozenset()
    """Places of the slices that were decided on in the open session."""

    map: Map | None = None
    """What a layer shows that the plugin drew over a mask."""
    preview: str = ""
    """Which preview a layer is that the plugin drew, nothing for all other layers."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def as_metadata(self) -> dict[str, Any]:
        """Return the `metadata` argument of a layer that carries this."""
        return {_KEY: self}


NOTHING = LayerRecord()
"""What the layers of others carry."""


def carried(layer: Layer) -> LayerRecord:
    """Return what a layer carries."""
    return carried_in(layer.metadata)


def carried_in(metadata: Mapping[str, Any]) -> LayerRecord:
    """Return what a layer with this `metadata` carries; writers get no layer from napari."""
    record = metadata.get(_KEY)
    return record if isinstance(record, LayerRecord) else NOTHING


def carry(layer: Layer, **changes: Any) -> None:
    """Replace fields of what a layer carries."""
    layer.metadata.update(replace(carried(layer), **changes).as_metadata())
