"""The slices of a labels layer that edits, undo and redo have changed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.arrays import Array


_MAX_PROBES = 200
"""Number of history steps that are checked; napari keeps a hundred, without a signal for others."""


class _Probe(NamedTuple):
    slices: Array
    """Indices of the slices along the flattened leading axes, of shape (N,)."""
    pixels: tuple[Array, ...]
    """Indices of one pixel in each of these slices that the step changed."""
    values: Array
    """Labels of these pixels at the last check, of shape (N,)."""


class EditedSlices:
    """Collects the slices of a mask that edits, undo and redo have changed, until `close`.

    napari emits an event when an edit enters the history, which may be before its pixels are
    written. It does not report which pixels an undo changed, and for a hidden layer emits no event
    at all. So one pixel in each slice of an edit is compared later: undo and redo change it.
    """

    def __init__(self, mask: Labels) -> None:
        self._mask = mask
        self._new: list[list[Any]] = []
        self._probes: deque[_Probe] = deque(maxlen=_MAX_PROBES)
        mask.events.paint.connect(self._on_edit)

    def take(self) -> set[int]:
        """Return the slices that have changed since the last call."""
        found: set[int] = set()
        for _ in range(len(self._probes)):
            probe = self._probes.popleft()
            values = self._mask.data[probe.pixels]
            found.update(probe.slices[values != probe.values].tolist())
            self._probes.append(probe._replace(values=values))
        steps, self._new = self._new, []
        for step in steps:
            self._probes.append(_probe(self._mask.data, step))
            found.update(self._probes[-1].slices.tolist())
        return found

    def close(self) -> None:
        """Stop watching the mask."""
        self._mask.events.paint.disconnect(self._on_edit)

    def _on_edit(self, event: Any) -> None:
        self._new.append(event.value)


def changed_pixels(atom: Any) -> tuple[tuple[Array, ...], Array, Array]:
    """Return the indices, old labels and new labels of an atom of napari's history.

    An atom is a triple of these; since napari 0.9 a stroke is a box with a mask.
    """
    if not hasattr(atom, "slice_key"):
        indices, before, after = atom
        return indices, before, np.broadcast_to(after, before.shape)
    inside = np.nonzero(np.ones(atom.old_values.shape) if atom.mask is None else atom.mask)
    starts = (part.start or 0 for part in atom.slice_key)
    indices = tuple(axis + start for axis, start in zip(inside, starts, strict=True))
    before = np.asarray(atom.old_values).ravel()
    return indices, before, np.full(before.shape, atom.new_value)


def _probe(labels: Array, step: list[Any]) -> _Probe:
    atoms = [changed_pixels(atom) for atom in step]
    axes = zip(*(indices for indices, _, _ in atoms), strict=True)
    indices = tuple(np.concatenate(axis) for axis in axes)
    before = np.concatenate([before for _, before, _ in atoms])
    leading = labels.shape[:-2]
    slices = np.ravel_multi_index(indices[:-2], leading) if leading else np.zeros_like(indices[0])
    chosen = np.full(int(np.prod(leading)), -1)
    chosen[slices] = np.arange(before.size)
    # Prefer a pixel that the step has really changed: the first with another label than before.
    moved = np.flatnonzero(labels[indices] != before)[::-1]
    chosen[slices[moved]] = moved
    found = np.flatnonzero(chosen >= 0)
    pixels = tuple(axis[chosen[found]] for axis in indices)
    return _Probe(found, pixels, labels[pixels])
