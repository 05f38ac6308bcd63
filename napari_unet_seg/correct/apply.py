"""From the new mask of one category to the label values that change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_unet_seg.correct.shapes import Mask

Array = np.ndarray[Any, np.dtype[Any]]


class Change(NamedTuple):
    """Label values that change, and nothing else."""

    indices: tuple[Array, ...]
    """One array of integers an axis."""
    values: Array
    """The new label values, one for each index."""

    def at(self, place: tuple[int, ...]) -> Change:
        """Return the change of a part as one of the whole, `place` along its leading axes."""
        leading = tuple(np.full(self.values.size, index) for index in place)
        return Change((*leading, *self.indices), self.values)

    def where_equal(self, before: Array, now: Array) -> Change:
        """Return what of it changes labels that are still as they were, both of the same shape."""
        same = before[self.indices] == now[self.indices]
        return Change(tuple(axis[same] for axis in self.indices), self.values[same])


def change_to(labels: Array, mask: Mask, value: int, locked: Collection[int] = ()) -> Change:
    """Return what changes when a category is to cover a mask.

    It grows over background alone: pixels of other categories and those that nobody has reviewed
    (`IGNORE_INDEX`) stay as they are. Where it goes, background is left.

    Parameters
    ----------
    labels : array of int
        Label values as they are.
    mask : array of bool, of the same shape
        Where the category is to be.
    value : int
        Its label value.
    locked : collection of int
        Label values that must not change; if `value` is one of them, nothing does.
    """
    if value in locked:
        mask = labels == value
    gained = mask & (labels == 0)
    indices = np.nonzero(gained | (~mask & (labels == value)))
    return Change(indices, np.where(gained[indices], value, 0).astype(labels.dtype))


def relabel(labels: Array, value: int, target: int, locked: Collection[int] = ()) -> Change:
    """Return what changes when one category becomes another; nothing if either is locked."""
    free = value not in locked and target not in locked and value != target
    indices = np.nonzero((labels == value) & free)
    return Change(indices, np.full(indices[0].size, target, labels.dtype))


def joined(changes: Iterable[Change], ndim: int) -> Change:
    """Return changes of different parts as one.

    Parameters
    ----------
    changes : iterable of Change
        Of parts that do not overlap, by their place in the whole.
    ndim : int
        Axes of the whole, for when there is no change at all.
    """
    found = [change for change in changes if change.values.size]
    if not found:
        return Change((np.zeros(0, np.intp),) * ndim, np.zeros(0, np.uint8))
    axes = zip(*(change.indices for change in found), strict=True)
    values = np.concatenate([change.values for change in found])
    return Change(tuple(np.concatenate(axis) for axis in axes), values)
