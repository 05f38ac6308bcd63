"""Edits of a labels layer that one Ctrl+Z undoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.edited_slices import changed_pixels
from napari_unet_seg.correct.change import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part


class History(NamedTuple):
    """The changes in the history of a mask, each by its identity."""

    done: frozenset[int]
    undone: frozenset[int]

    @classmethod
    def of(cls, mask: Any) -> History:
        """Return the steps that can be undone and redone, of which napari tells in no other way."""
        done, undone = mask._undo_history, mask._redo_history  # noqa: SLF001
        return cls(_atoms(done), _atoms(undone))


def last_atom(mask: Any) -> Any:
    """Return the first change of the last step of a mask's history."""
    return mask._undo_history[-1][0]  # noqa: SLF001


def _atoms(steps: Any) -> frozenset[int]:
    return frozenset(id(atom) for step in steps for atom in step)


def apply_change(mask: Labels, change: Change) -> None:
    """Apply a change of labels as one step of the layer's history."""
    # The history keeps the indices of a hundred steps; int32 halves their memory.
    indices = tuple(axis.astype(np.int32) for axis in change.indices)
    with mask.block_history():
        mask.data_setitem(indices, change.values)


def replace_slice(mask: Labels, labels: Array, place: Part) -> None:
    """Replace the labels of a part, as one step of the history."""
    changed = np.nonzero(mask.data[place] != labels)
    if changed[0].size:
        apply_change(mask, Change(changed, labels[changed]).at(place))


def take_back(mask: Labels, step: list[Any], kept: Callable[..., Array]) -> int:
    """Restore pixels that a step of the history has changed, as a part of that step.

    Parameters
    ----------
    mask : Labels
        The mask; it is not drawn again.
    step : list
        The step, as the event of an edit has it.
    kept : callable
        Returns which pixels are restored, bool (N,), from their indices and the labels before and
        after the step.

    Returns
    -------
    int
        Number of restored pixels.
    """
    count = 0
    for atom in reversed(tuple(step)):
        indices, before, after = changed_pixels(atom)
        chosen = kept(indices, before, after)
        where = tuple(axis[chosen] for axis in indices)
        now = mask.data[where]
        if (now != before[chosen]).any():
            step.append((where, now, before[chosen]))
            mask.data[where] = before[chosen]
            count += now.size
    return count


def edit_summary(change: Change, value: int, shape: tuple[int, ...]) -> str:
    """Return a text with the pixels that a category gained and lost, and the number of slices."""
    gained = int(np.count_nonzero(change.values == value))
    lost = change.values.size - gained
    counts = [f"{sign}{count:,}" for sign, count in (("+", gained), ("−", lost)) if count]
    leading = change.indices[:-2]
    flat = np.ravel_multi_index(leading, shape[:-2]) if leading else np.zeros(1, np.intp)
    slices = int(np.count_nonzero(np.bincount(flat)))
    return f"{' '.join(counts)} px in {slices:,} {'slice' if slices == 1 else 'slices'}."
