"""Removal of a category from a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg._napari.categories.edits import (
    listed_names,
    set_categories,
    shown_categories,
)
from napari_unet_seg._napari.categories.pixels import change_labels, restore_with_pixels
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.layers.layer_record import record_of, update_record

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.config import Category


def remove_category(layer: Labels, label: int, into: int = 0) -> None:
    """Remove a category; the labels of those after it move up by one.

    The pixels change in one step of undo, which restores the category too.

    Parameters
    ----------
    layer : Labels
        A mask of categories, or of objects.
    label : int
        The place of the category, from 1; its label in a mask of categories.
    into : int
        The place of the category that gets the pixels or objects; 0 for background.
    """
    before, categories = record_of(layer), shown_categories(layer)
    gone = categories[label - 1]
    heir = categories[into - 1] if into else None
    kept = tuple(c for c in categories if c is not gone)
    table = _objects_table(layer, gone, heir) if is_instances(layer) else _moved(categories, label)
    if not is_instances(layer):
        table[label] = into - (into > label)
    # Otherwise the guard of locked categories would restore the pixels.
    update_record(layer, locked=frozenset())
    changed = change_labels(layer, table)
    locked = frozenset(table.get(v, v) for v in before.locked - {label})
    merged = (*before.merged, (gone.id, heir.id if heir else None))
    order = tuple(name for name in listed_names(layer) if name != gone.name)
    set_categories(layer, kept, order=order, locked=locked, merged=merged)
    if layer.selected_label > len(kept) and not is_instances(layer):
        layer.selected_label = max(len(kept), 1)
    if changed is not None:
        before = replace(before, categories=categories)
        restore_with_pixels(layer, *changed, before, set_categories)


def _moved(categories: tuple[Category, ...], label: int) -> dict[int, int]:
    return {value: value - 1 for value in range(label + 1, len(categories) + 1)}


def _objects_table(layer: Labels, gone: Category, heir: Category | None) -> dict[int, int]:
    """Give the objects of a category another one; return those that become background."""
    table = layer.features.copy()
    rows = table["category_id"] == gone.id
    if heir is not None:
        table.loc[rows, ["category", "category_id"]] = [heir.name, heir.id]
        layer.features = table
        return {}
    return {int(value): 0 for value in table.loc[rows, "index"]}
