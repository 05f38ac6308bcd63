"""What the steps of a labels layer's history changed, whoever made, undid or redid them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.arrays import Array


_KEPT = 200
"""Steps that are looked at again; napari keeps a hundred, but tells of no others it forgets."""


class _Probe(NamedTuple):
    slices: Array
    """Counted along all leading axes flattened."""
    pixels: tuple[Array, ...]
    """Where one pixel of each of them lies that the step changed."""
    values: Array
    """Their labels when they were last looked at."""


class EditedSlices:
    """Tells which slices of a mask changed by edits, undo and redo, until `close`.

    napari tells of an edit when it enters the history, which may be before its pixels are written.
    It never tells what undo changed, and of a hidden layer not even that there was one. So one
    pixel in each slice of an edit is looked at again: undo and redo change it.
    """

    def __init__(self, mask: Labels) -> None:
        self._mask = mask
        self._new: list[list[Any]] = []
        self._probes: deque[_Probe] = deque(maxlen=_KEPT)
        mask.events.paint.connect(self._on_edit)

    def take(self) -> set[int]:
        """Return the slices that changed since this was last called."""
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
        """Let go of the mask."""
        self._mask.events.paint.disconnect(self._on_edit)

    def _on_edit(self, event: Any) -> None:
        self._new.append(event.value)


def pixels_of(atom: Any) -> tuple[tuple[Array, ...], Array, Array]:
    """Return where an atom of napari's history changed pixels, from what, and to what.

    It is a triple of just that, or since napari 0.9 for strokes a box with a mask in it.
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
    atoms = [pixels_of(atom) for atom in step]
    axes = zip(*(indices for indices, _, _ in atoms), strict=True)
    indices = tuple(np.concatenate(axis) for axis in axes)
    before = np.concatenate([before for _, before, _ in atoms])
    leading = labels.shape[:-2]
    slices = np.ravel_multi_index(indices[:-2], leading) if leading else np.zeros_like(indices[0])
    chosen = np.full(int(np.prod(leading)), -1)
    chosen[slices] = np.arange(before.size)
    # Rather one that was not put back within the step: the first one that is not as it was.
    moved = np.flatnonzero(labels[indices] != before)[::-1]
    chosen[slices[moved]] = moved
    found = np.flatnonzero(chosen >= 0)
    pixels = tuple(axis[chosen[found]] for axis in indices)
    return _Probe(found, pixels, labels[pixels])
