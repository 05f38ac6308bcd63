"""Pairs of a predicted and a true mask on the same grid, and pairs of their categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.io.common.grids.turned import turned_onto

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan


_SPACE = "ZYX"
_ABSENT = -1
"""A label value that no pixel has, for a category that exists in the other mask only."""


class CategoryPair(NamedTuple):
    """A category, and its label values in the predicted and in the true mask."""

    category: str
    predicted: int
    truth: int


class NamedMask(NamedTuple):
    """A mask with its name, grid and categories."""

    name: str
    scan: Scan
    """Label values on their grid."""
    categories: tuple[Category, ...]
    """Categories of the label values from 1, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskPair:
    """A predicted mask and the true mask, on the grid of the true mask.

    A predicted mask of the same voxels in another order is turned, see `turned_onto`.

    Raises
    ------
    DataError
        If the grids differ.
    """

    name: str
    predicted: Scan
    truth: Scan
    sides: tuple[str, str] | None = None
    """Names of both masks in messages; by default `predicted mask NAME` and `true mask`."""

    def __post_init__(self) -> None:
        one, other = self._names
        theirs = self.truth
        ours = turned_onto(self.predicted, theirs, (f"The {one}", f"the {other}"))
        object.__setattr__(self, "predicted", ours)
        same = ours.grid_shape == theirs.grid_shape
        if same and ours.unit == theirs.unit != "pixel":
            same = np.allclose(ours.spacing, theirs.spacing, rtol=1e-3)
        if not same:
            raise DataError(
                f"The {one} has the grid {_grid(ours)} and the {other} {_grid(theirs)}; give "
                "masks that were made on the same scan."
            )

    @property
    def _names(self) -> tuple[str, str]:
        return self.sides or (f"predicted mask {self.name}", "true mask")

    @property
    def note(self) -> str:
        """Sentence on masks of one grid that lie in different places; empty for most pairs."""
        apart = misplacement(self.truth, self.predicted)
        one, other = self._names
        return apart and f"The {one} and the {other} have one grid, but {apart}."

    @property
    def _measured(self) -> Scan:
        """The mask that has a voxel size."""
        return self.predicted if self.truth.unit == "pixel" else self.truth

    @property
    def unit(self) -> str:
        """Unit of the voxel size."""
        return self._measured.unit

    @property
    def _axes(self) -> str:
        """Axes of the mask with more axes outside space: times, or independent slices."""
        return max(self.truth.axes, self.predicted.axes, key=_separate_axes)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size along the axes of space; without a unit in pixels of the finest axis."""
        steps = zip(self._axes, self._measured.spacing, strict=True)
        sizes = tuple(abs(size) for axis, size in steps if axis in _SPACE)
        return tuple(size / min(sizes) for size in sizes) if self.unit == "pixel" else sizes

    def items(self) -> Iterator[tuple[str, Array, Array]]:
        """Yield name, predicted labels and true labels of each independent part.

        Independent slices, and time points, are separate parts, since there are no distances
        between them. The labels have the axes of space only.
        """
        ours, theirs = np.asarray(self.predicted.data), np.asarray(self.truth.data)
        apart = [i for i, axis in enumerate(self._axes) if axis not in _SPACE]
        if not apart:
            yield self.name, ours, theirs
            return
        front = range(len(apart))
        ours, theirs = np.moveaxis(ours, apart, front), np.moveaxis(theirs, apart, front)
        for number, place in enumerate(np.ndindex(*ours.shape[: len(apart)])):
            yield f"{self.name}#{number}", ours[place], theirs[place]


def _separate_axes(axes: str) -> int:
    return sum(axis not in _SPACE for axis in axes)


def _grid(scan: Scan) -> str:
    size = " × ".join(str(n) for n in scan.grid_shape)
    spacing = " × ".join(f"{s:g}" for s in scan.spacing)
    return f"{size} ({scan.grid_axes}, {spacing} {scan.unit})"


class CategoryPairs(NamedTuple):
    """The categories to compare."""

    pairs: tuple[CategoryPair, ...]
    closed: bool
    """Whether `pairs` is complete; else each other label value is a category too."""
    notes: tuple[str, ...] = ()

    def of(self, found: Array, true: Array) -> tuple[CategoryPair, ...]:
        """Return `pairs`, and a pair for each other label value that one of the arrays holds."""
        if self.closed:
            return self.pairs
        values = {int(v) for array in (found, true) for v in np.unique(array)}
        others = sorted(values - {0, IGNORE_INDEX} - {p.truth for p in self.pairs})
        return (*self.pairs, *(CategoryPair(str(value), value, value) for value in others))


FOREGROUND = CategoryPairs((CategoryPair("foreground", 1, 1),), closed=True)


def to_foreground(labels: Array) -> Array:
    """Return the labels with 1 for every category, as uint8; unreviewed pixels stay 255."""
    return np.where(labels == IGNORE_INDEX, IGNORE_INDEX, labels != 0).astype(np.uint8)


def pair_categories(predicted: Sequence[Category], truth: Sequence[Category]) -> CategoryPairs:
    """Pair categories by name if both masks have a name in common, else by label value.

    Parameters
    ----------
    predicted, truth : sequence of Category
        Categories of the label values from 1, in order; empty if unknown.
    """
    ours = {c.name.casefold(): (value, c.name) for value, c in enumerate(predicted, 1)}
    theirs = {c.name.casefold(): (value, c.name) for value, c in enumerate(truth, 1)}
    if ours.keys() & theirs.keys():
        both, nothing = {**ours, **theirs}, (_ABSENT, "")
        keys = (*theirs, *(key for key in ours if key not in theirs))
        pairs = (
            CategoryPair(both[key][1], ours.get(key, nothing)[0], theirs.get(key, nothing)[0])
            for key in keys
        )
        return CategoryPairs(tuple(pairs), closed=True)
    note = (
        "The predicted and the true masks have no category name in common, so equal label values "
        "are compared."
    )
    named = tuple(CategoryPair(c.name, v, v) for v, c in enumerate(truth or predicted, 1))
    return CategoryPairs(named, closed=False, notes=(note,) if ours and theirs else ())
