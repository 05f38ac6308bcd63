"""The slices and objects of a labels layer, from what napari hands to writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg._napari.layers.instances import object_categories
from napari_unet_seg._napari.layers.layer_record import record_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category


def object_categories_of(attributes: dict[str, Any]) -> dict[int, Category] | None:
    """Return the category of every object by label; None if the labels are categories."""
    record = record_in(attributes.get("metadata", {}))
    if record.values != "instances":
        return None
    return object_categories(attributes["features"], record.categories)


def named_slices(labels: Array, attributes: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield the slices of a mask, each with the file name of its image."""
    record = record_in(attributes.get("metadata", {}))
    scan = record.scan
    named = scan.path.name if scan and scan.path else f"{attributes.get('name', 'mask')}.png"
    if labels.ndim == 2:
        yield named, labels
        return
    planes = labels.reshape(-1, *labels.shape[-2:])
    names = record.names
    stem = named.partition(".")[0]
    for index, plane in enumerate(planes):
        yield names[index] if len(names) == len(planes) else f"{stem}_{index:04d}.png", plane
