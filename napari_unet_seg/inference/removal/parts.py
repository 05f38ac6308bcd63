"""Connected parts of the mask of a volume, found slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.events import LeftOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array

_MOST = 20_000
"""Parts of slices, above which a mask is noise and stays as it is."""


class Part(NamedTuple):
    """A part of a volume."""

    numbers: dict[int, list[int]]
    """The parts of slices that make it up, as `numbered` numbers them, by slice."""
    voxels: dict[int, int]
    """Its voxels on each slice."""

    @property
    def size(self) -> int:
        """Number of its voxels."""
        return sum(self.voxels.values())


class VolumeParts:
    """The parts of slices that are added one by one, joined to parts of the volume.

    Parts touch at faces, edges or corners. Memory holds the sizes of all parts, and one slice.

    Attributes
    ----------
    counts : list of int
        Parts of each slice.
    """

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._above: list[int] = []
        """For each part of a slice another part of the same part of the volume, or itself."""
        self._voxels: list[int] = []
        self._values: list[int] = []
        self._before = np.zeros((0, 0), np.int64)
        """Numbers of the parts on the previous slice, from 1 over all slices."""

    def add(self, plane: Array) -> None:
        """Take in the next slice."""
        numbers, values = numbered(plane)
        first = len(self._above)
        self.counts.append(len(values))
        self._above += range(first, first + len(values))
        self._values += values
        self._voxels += np.bincount(numbers.ravel(), minlength=len(values) + 1)[1:].tolist()
        numbers = np.where(numbers, numbers + first, 0)
        if self._before.any() and numbers.any():
            for one, other in _touching(self._before, numbers):
                if self._values[one - 1] == self._values[other - 1]:
                    self._above[self._root(other - 1)] = self._root(one - 1)
        self._before = numbers

    def _root(self, part: int) -> int:
        while self._above[part] != part:
            self._above[part] = self._above[self._above[part]]
            part = self._above[part]
        return part

    def _sizes(self) -> tuple[Array, Array]:
        """Return the root of each part of a slice, and the voxels of the volume's part by root."""
        roots = np.array([self._root(part) for part in range(len(self._above))], int)
        return roots, np.bincount(roots, self._voxels, len(roots)) if len(roots) else np.zeros(0)

    def small(self, share: float) -> Array:
        """Whether each part of a slice belongs to a small part of the volume."""
        roots, voxels = self._sizes()
        largest = np.zeros(IGNORE_INDEX + 1)
        np.maximum.at(largest, self._values, voxels)
        return np.asarray((voxels < share * largest[self._values])[roots])

    def summed(self, chosen: Array) -> LeftOut:
        """Count the parts of the volume that chosen parts of slices make up."""
        numbers = np.flatnonzero(chosen)
        roots = {self._root(int(part)) for part in numbers}
        return LeftOut(len(roots), sum(self._voxels[part] for part in numbers))

    def largest(self, count: int) -> list[Part]:
        """Return the largest parts of the volume."""
        slices = np.repeat(np.arange(len(self.counts)), self.counts)
        first = np.cumsum([0, *self.counts])
        roots, voxels = self._sizes()
        found = []
        for root in np.argsort(-voxels, kind="stable")[: min(count, np.count_nonzero(voxels))]:
            own = Part({}, {})
            for part in np.flatnonzero(roots == root).tolist():
                at = int(slices[part])
                own.numbers.setdefault(at, []).append(part - int(first[at]) + 1)
                own.voxels[at] = own.voxels.get(at, 0) + self._voxels[part]
            found.append(own)
        return found


def parts_of(labels: Any, volume: tuple[int, ...]) -> VolumeParts | None:
    """Return the parts of a volume, by its index along the axes before Z; None of noise."""
    parts = VolumeParts()
    for index in range(labels.shape[-3]):
        parts.add(np.asarray(labels[(*volume, index)]))
        if sum(parts.counts) > _MOST:
            return None
    return parts


def numbered(plane: Array) -> tuple[Array, list[int]]:
    """Number the parts of a slice from 1, always alike, and tell the label value of each."""
    from scipy import ndimage  # which many masks do not need

    numbers = np.zeros(plane.shape, np.int64)
    values: list[int] = []
    for value in np.unique(plane[plane > 0]).tolist():
        found, count = ndimage.label(plane == value, np.ones((3, 3)))
        numbers[found > 0] = found[found > 0] + len(values)
        values += [value] * count
    return numbers, values


def _touching(one: Array, other: Array) -> Sequence[tuple[int, int]]:
    """Pairs of part numbers of two slices that touch."""
    padded = np.pad(one, 1)
    height, width = other.shape
    pairs: set[tuple[int, int]] = set()
    for y in range(3):
        for x in range(3):
            near = padded[y : y + height, x : x + width]
            both = (near > 0) & (other > 0)
            pairs |= set(zip(near[both].tolist(), other[both].tolist(), strict=True))
    return sorted(pairs)
