"""Edits of a labels layer that Ctrl+Z takes back in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.correct.change import Change

if TYPE_CHECKING:
    from napari.layers import Labels

Array = np.ndarray[Any, np.dtype[Any]]


def put(mask: Labels, change: Change) -> None:
    """Change label values, as one step of the layer's history."""
    # The history keeps the indices of a hundred steps; half as wide they serve as well.
    indices = tuple(axis.astype(np.int32) for axis in change.indices)
    with mask.block_history():
        mask.data_setitem(indices, change.values)


def put_slice(mask: Labels, labels: Array, place: tuple[int, ...]) -> None:
    """Bring what lies at `place` along the leading axes to these labels, as one step."""
    changed = np.nonzero(mask.data[place] != labels)
    if changed[0].size:
        put(mask, Change(changed, labels[changed]).at(place))


def in_words(change: Change, value: int, shape: tuple[int, ...]) -> str:
    """Say how many pixels a category gained and lost, and in how many slices of a mask."""
    gained = int(np.count_nonzero(change.values == value))
    lost = change.values.size - gained
    counts = [f"{sign}{count:,}" for sign, count in (("+", gained), ("−", lost)) if count]
    leading = change.indices[:-2]
    flat = np.ravel_multi_index(leading, shape[:-2]) if leading else np.zeros(1, np.intp)
    slices = int(np.count_nonzero(np.bincount(flat)))
    return f"{' '.join(counts)} px in {slices:,} {'slice' if slices == 1 else 'slices'}."
