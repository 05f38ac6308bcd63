"""Changes of label values, for example from the new mask of one category."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.shapes import Mask
    from napari_unet_seg.io.common.places import Part


class Change(NamedTuple):
    """Indices of the pixels that change, and their new label values."""

    indices: tuple[Array, ...]
    """One array of integers of shape (N,) per axis."""
    values: Array
    """The new label values, of shape (N,)."""

    def at(self, position: Part) -> Change:
        """Return the change of a part as a change of the whole array.

        Parameters
        ----------
        position : tuple of int or slice
            Index of the part in the whole array.
        """
        own = iter(self.indices)
        leading = [
            next(own) if isinstance(index, slice) else np.full(self.values.size, index)
            for index in position
        ]
        return Change((*leading, *own), self.values)

    def where_equal(self, before: Array, now: Array) -> Change:
        """Return the change without the pixels that differ between two arrays of labels.

        Parameters
        ----------
        before, now : array
            Labels before the change was computed, and the present labels, of the same shape.
        """
        same = before[self.indices] == now[self.indices]
        return Change(tuple(axis[same] for axis in self.indices), self.values[same])


def change_to(
    labels: Array,
    mask: Mask,
    value: int,
    locked: Collection[int] = (),
    over: Collection[int] = (),
) -> Change:
    """Return the change after which a category covers a mask.

    The category grows over background, and over no other label unless it is told to: pixels of
    other categories and unreviewed pixels (`IGNORE_INDEX`) do not change. Pixels that the category
    loses become background.

    Parameters
    ----------
    labels : array of int
        Present label values.
    mask : array of bool, of the same shape
        The new mask of the category.
    value : int
        Label value of the category.
    locked : collection of int
        Label values that must not change; if `value` is one of them, the change is empty.
    over : collection of int
        Label values, none of them locked, over which the category grows too.
    """
    if value in locked:
        mask = labels == value
    gained = mask & np.isin(labels, (0, *over))
    indices = np.nonzero(gained | (~mask & (labels == value)))
    return Change(indices, np.where(gained[indices], value, 0).astype(labels.dtype))


def relabel(labels: Array, value: int, target: int, locked: Collection[int] = ()) -> Change:
    """Return the change that turns one category into another; empty if either is locked."""
    free = value not in locked and target not in locked and value != target
    indices = np.nonzero((labels == value) & free)
    return Change(indices, np.full(indices[0].size, target, labels.dtype))


def join_changes(changes: Iterable[Change], ndim: int) -> Change:
    """Join the changes of several parts of an array.

    Parameters
    ----------
    changes : iterable of Change
        Changes of the whole array that do not overlap.
    ndim : int
        Number of axes of the array.
    """
    found = [change for change in changes if change.values.size]
    if not found:
        return Change((np.zeros(0, np.intp),) * ndim, np.zeros(0, np.uint8))
    axes = zip(*(change.indices for change in found), strict=True)
    values = np.concatenate([change.values for change in found])
    return Change(tuple(np.concatenate(axis) for axis in axes), values)
