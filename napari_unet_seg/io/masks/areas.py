"""Connected components, and areas of single values, of a label array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


NEIGHBOURS = np.ones((3, 3), bool)
"""Neighbourhood in which pixels that share a corner are connected."""


class Area(NamedTuple):
    """Pixels of one value."""

    value: int
    mask: Array
    """Of shape (Y, X), inside `where`."""
    where: tuple[slice, slice]


def components(labels: Array, neighbours: Literal[8, 4] = 8) -> Iterator[Area]:
    """Yield the connected components of each value of a label array, in the order of the values.

    Parameters
    ----------
    labels : array
        Integers of shape (Y, X); 0 is background.
    neighbours : 8 or 4
        Whether pixels that share only a corner are connected (8) or not (4).
    """
    from skimage.measure import label  # slow to import, and often not needed

    # All values at once: a mask of thousands of categories would be searched thousands of times.
    connectivity = 2 if neighbours == 8 else 1
    areas: Array = label(labels, background=0, connectivity=connectivity)  # type: ignore[no-untyped-call]
    boxes = ndimage.find_objects(areas)
    values = np.zeros(len(boxes) + 1, labels.dtype)
    values[areas] = labels
    for index in np.argsort(values[1:], kind="stable").tolist():
        rows, columns = boxes[index]
        mask = areas[rows, columns] == index + 1
        yield Area(int(values[index + 1]), mask, (rows, columns))


def objects(labels: Array) -> Iterator[Area]:
    """Yield the area of each value of a label array (Y, X), in the order of the values."""
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    for places in by_value(values):
        y, x = rows[places], columns[places]
        where = slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)
        value = int(values[places[0]])
        yield Area(value, labels[where] == value, where)


def by_value(values: Array) -> list[Array]:
    """Return the indices of each value of a one-dimensional array without zeros, by value."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(values[order].astype(np.int64), prepend=0)))[1:]
