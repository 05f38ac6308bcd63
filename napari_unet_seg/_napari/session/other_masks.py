"""The masks of a case beside the one that a session corrects, as layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.conversion import add_labels, categories_of, is_user_layer
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.session.stored.other_masks import record_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.session.stored.case_files import MaskRecord
    from napari_unet_seg.session.stored.other_masks import OtherMask


def mask_source(mask: Labels) -> Source | None:
    """Return the files of a mask; None if it was made here, or is drawn from a COCO file."""
    record = record_of(mask)
    if record.coco is not None or is_instances(mask):
        return None
    own = Source((Path(mask.source.path),)) if mask.source.path else None
    return record.read_from or own


def other_masks(layers: Iterable[Layer], image: Image, mask: Labels) -> tuple[MaskRecord, ...]:
    """Return the records of the masks in files, apart from `mask`, of the case of an image."""
    open_layers = tuple(layers)
    images = [layer for layer in open_layers if is_user_layer(layer, Image)]
    case, own_source = case_of(image), mask_source(mask)
    found: dict[Source, MaskRecord] = {}
    for other in open_layers:
        # Compared by id, as napari gives plugins proxies of layers.
        if not is_user_layer(other, Labels) or other.unique_id == mask.unique_id:
            continue
        source, own = mask_source(other), image_of(other, images)
        if source is None or source == own_source:  # a copy of the mask is not as in its file
            continue
        if own is not None and case_of(own) == case:
            found[source] = record_mask(other.name, source, categories_of(other))
    return tuple(found.values())


def record_masks(current: OpenSession) -> None:
    """Record the other masks that are open now, which are opened again with the session."""
    found = other_masks(current.viewer.layers, current.image, current.mask)
    if found != current.session.record.masks:
        current.session.set_other_masks(found)


def add_masks(viewer: ViewerModel, masks: Sequence[OtherMask], images: list[Image]) -> list[Labels]:
    """Add other masks as hidden layers; `images` are the layers of their sequences by number."""
    layers = []
    for own in masks:
        layer = add_labels(
            viewer,
            own.labels.data,
            images[own.sequence],
            own.categories,
            own.layer,
            from_file=True,
            read_from=own.source,
        )
        layer.visible = False
        layers.append(layer)
    return layers
