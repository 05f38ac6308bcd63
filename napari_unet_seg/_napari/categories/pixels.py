"""Changes of a mask's pixels together with its categories, and their undo."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.undoable_edits import apply_change
from napari_unet_seg.correct.change import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from napari_unet_seg._napari.layers.layer_record import LayerRecord
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category

_PROBES = 256
"""Number of changed pixels that are compared."""
_FIELDS = ("order", "locked", "merged")
"""Fields of the record that follow the categories."""


def restore_with_pixels(
    layer: Labels,
    change: Change,
    labels: Array,
    before: LayerRecord,
    set_categories: Callable[..., None],
) -> None:
    """Restore the categories of a mask when the change of its pixels is undone, or redone.

    napari tells neither that a step is undone nor which. So some of the changed pixels are looked
    at when the layer is drawn again: those that had the highest label, which no category has after
    the removal, so that no brush paints it.

    Parameters
    ----------
    layer : Labels
        The mask, whose record is that after the change.
    change : Change
        The change of the pixels.
    labels : array of shape (N,)
        The labels of the pixels before the change.
    before : LayerRecord
        The record before the change.
    set_categories : callable
        Called with the layer, its categories and other fields of its record.
    """
    chosen = np.flatnonzero(labels == labels.max())[:_PROBES]
    pixels = tuple(axis[chosen] for axis in change.indices)
    after = record_of(layer)
    sides = [(before, labels[chosen]), (after, change.values[chosen])]
    reference = weakref.ref(layer)

    def follow(event: Any = None) -> None:
        mask = reference()
        if mask is None:
            return
        # First those before the removal, which may begin with all of those after it.
        for (now, _), (other, values) in (sides, sides[::-1]):
            found = _exchanged(record_of(mask).categories, now.categories, other.categories)
            if found is not None:
                if np.array_equal(mask.data[pixels], values):
                    fields = {name: getattr(other, name) for name in _FIELDS}
                    set_categories(mask, found, **fields)
                return

    layer.events.set_data.connect(follow)


def _exchanged(
    present: tuple[Category, ...], old: tuple[Category, ...], new: tuple[Category, ...]
) -> tuple[Category, ...] | None:
    """Replace the first categories by others; those that were added or renamed since stay so.

    None if the categories do not begin with the old ones.
    """
    own = {category.id: category for category in present}
    if tuple(own)[: len(old)] != tuple(category.id for category in old):
        return None
    return (*(own.get(c.id, c) for c in new), *present[len(old) :])


def change_labels(layer: Labels, table: dict[int, int]) -> tuple[Change, Array] | None:
    """Replace labels as one step of undo.

    Parameters
    ----------
    layer : Labels
        The mask.
    table : dict
        The new label of each label to replace.

    Returns
    -------
    tuple or None
        The change, and the labels of its pixels before; None if there are no such pixels.
    """
    indices = np.nonzero(np.isin(layer.data, list(table)))
    if not indices[0].size:
        return None
    labels = layer.data[indices]
    found, places = np.unique(labels, return_inverse=True)
    values = np.array([table[value] for value in found.tolist()], layer.data.dtype)[places]
    change = Change(indices, values)
    apply_change(layer, change)
    return change, labels
