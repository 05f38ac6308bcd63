"""The areas of a label array, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


NEIGHBOURS = np.ones((3, 3), bool)
"""Pixels that touch at a corner belong together."""


class Area(NamedTuple):
    """Pixels of one value."""

    value: int
    mask: Array
    """Of shape (Y, X), inside `where`."""
    where: tuple[slice, slice]


def components(labels: Array, neighbours: Literal[8, 4] = 8) -> Iterator[Area]:
    """Yield every connected area of a label array, by value."""
    structure = NEIGHBOURS if neighbours == 8 else ndimage.generate_binary_structure(2, 1)
    for value in np.unique(labels[labels != 0]).tolist():
        areas, _ = ndimage.label(labels == value, structure)
        for index, (rows, columns) in enumerate(ndimage.find_objects(areas), 1):
            yield Area(value, areas[rows, columns] == index, (rows, columns))


def objects(labels: Array) -> Iterator[Area]:
    """Yield the area of every value of a label array, connected or not, by value."""
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    for places in by_value(values):
        y, x = rows[places], columns[places]
        where = slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)
        value = int(values[places[0]])
        yield Area(value, labels[where] == value, where)


def by_value(values: Array) -> list[Array]:
    """Return the places of each value of a one-dimensional array without zeros, by value."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(values[order].astype(np.int64), prepend=0)))[1:]
