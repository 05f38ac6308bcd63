"""Small parts of the mask of a volume: found and removed slice by slice.

A network of slices sees none of a slice's neighbours, and marks vessels, eyes and the ends of the
head here and there. Such islands are small beside the lesion. What is small is told by the largest
part of the same category, so that no category is emptied and no unit of length is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.events import LeftOut
from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array


_MOST = 20_000
"""Parts of slices, above which a mask is noise and stays as it is."""


def left_out_note(small: LeftOut, outside: LeftOut) -> str:
    """Return sentences on what was removed; empty for nothing."""
    kinds = {"small part": (small, "of the mask"), "part": (outside, "outside the brain")}
    return " ".join(
        f"{counted(left_out.parts, kind)} {which} {was_or_were(left_out.parts)} left out "
        f"({counted(left_out.voxels, 'voxel')})."
        for kind, (left_out, which) in kinds.items()
        if left_out.parts
    )


def remove_small_parts(
    labels: Any, volume: tuple[int, ...], share: float
) -> tuple[LeftOut, list[int]]:
    """Remove the small parts of a mask, in place; parts touch at faces, edges or corners.

    Two slices are in memory at a time, and the sizes of all parts. A mask of very many parts is
    left as it is.

    Parameters
    ----------
    labels : array
        Label values (…, Z, Y, X), of numpy or Zarr.
    volume : tuple of int
        Index of the volume along the axes before Z.
    share : float
        Parts with fewer voxels than this share of the largest one of their category are removed.

    Returns
    -------
    LeftOut
        What was removed.
    list of int
        Slices in which nothing is left.
    """
    parts = _Parts()
    for index in range(labels.shape[-3]):
        parts.add(np.asarray(labels[(*volume, index)]))
        if sum(parts.counts) > _MOST:
            return LeftOut(), []
    small = parts.small(share)
    emptied, first = [], 0
    for index, count in enumerate(parts.counts):
        numbers = np.flatnonzero(small[first : first + count]) + 1
        first += count
        if not numbers.size:
            continue
        plane = np.array(labels[(*volume, index)])
        plane[np.isin(_numbered(plane)[0], numbers)] = 0
        labels[(*volume, index)] = plane
        if not plane.any():
            emptied.append(index)
    return parts.summed(small), emptied


class _Parts:
    """The parts of slices that are added one by one, joined to parts of the volume."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        """Parts of each slice."""
        self._above: list[int] = []
        """For each part of a slice another part of the same part of the volume, or itself."""
        self._voxels: list[int] = []
        self._values: list[int] = []
        self._before = np.zeros((0, 0), np.int64)
        """Numbers of the parts on the previous slice, from 1 over all slices."""

    def add(self, plane: Array) -> None:
        """Take in the next slice."""
        numbers, values = _numbered(plane)
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

    def small(self, share: float) -> Array:
        """Whether each part of a slice belongs to a small part of the volume."""
        roots = np.array([self._root(part) for part in range(len(self._above))], int)
        voxels = np.bincount(roots, self._voxels, len(roots)) if len(roots) else np.zeros(0)
        largest = np.zeros(IGNORE_INDEX + 1)
        np.maximum.at(largest, self._values, voxels)
        return np.asarray((voxels < share * largest[self._values])[roots])

    def summed(self, chosen: Array) -> LeftOut:
        """Count the parts of the volume that chosen parts of slices make up."""
        numbers = np.flatnonzero(chosen)
        roots = {self._root(int(part)) for part in numbers}
        return LeftOut(len(roots), sum(self._voxels[part] for part in numbers))


def _numbered(plane: Array) -> tuple[Array, list[int]]:
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
