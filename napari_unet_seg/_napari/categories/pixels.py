"""Undo of a removed category: its pixels come back by napari's undo, the category with them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.layer_record import record_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from napari_unet_seg._napari.layers.layer_record import LayerRecord
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change

_PROBES = 256
"""Number of changed pixels that are compared."""
_FIELDS = ("categories", "order", "locked", "merged")


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
        for (now, _), (other, values) in (sides, sides[::-1]):
            if record_of(mask).categories is now.categories:
                if np.array_equal(mask.data[pixels], values):
                    fields = {name: getattr(other, name) for name in _FIELDS[1:]}
                    set_categories(mask, other.categories, **fields)
                return

    layer.events.set_data.connect(follow)
