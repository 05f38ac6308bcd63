"""A predicted mask and the true one: the same grid, and categories of the same names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan

Array = np.ndarray[Any, np.dtype[Any]]

_SPACE = "ZYX"
_NOWHERE = -1
"""A label value that no pixel has, for a category that one side does not know."""


class Pairing(NamedTuple):
    """A category, and the label values that stand for it on either side."""

    category: str
    predicted: int
    truth: int


class Side(NamedTuple):
    """A mask that is compared with another one."""

    name: str
    scan: Scan
    """Its labels on their grid."""
    categories: tuple[Category, ...]
    """What the label values from 1 stand for."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A predicted mask and the true one, on the same grid.

    Raises
    ------
    DataError
        If the grids differ.
    """

    name: str
    predicted: Scan
    truth: Scan
    sides: tuple[str, str] | None = None
    """What messages call the two; by default the predicted mask of the name, and the true one."""

    def __post_init__(self) -> None:
        ours, theirs = self.predicted, self.truth
        one, other = self.sides or (f"predicted mask {self.name}", "true one")
        same = ours.grid_shape == theirs.grid_shape
        if same and ours.unit == theirs.unit != "pixel":
            same = np.allclose(ours.spacing, theirs.spacing, rtol=1e-3)
        if not same:
            raise DataError(
                f"The {one} has the grid {_grid(ours)} and the {other} {_grid(theirs)}; give "
                "masks that were made on the same scan."
            )
        if _turned(ours, theirs):
            raise DataError(
                f"The {one} has its axes in another direction than the {other} (a DICOM series "
                "as it was acquired, a NIfTI file turned upright); save both in one format."
            )

    @property
    def _measured(self) -> Scan:
        """The side that knows the voxel size."""
        return self.predicted if self.truth.unit == "pixel" else self.truth

    @property
    def unit(self) -> str:
        """Unit of the voxel size."""
        return self._measured.unit

    @property
    def _axes(self) -> str:
        """Those of the side that knows of times, or that its slices are no cuts of one body."""
        return max(self.truth.axes, self.predicted.axes, key=_count_apart)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size along the axes of space, in pixels of the finest one where it has no unit."""
        steps = zip(self._axes, self._measured.spacing, strict=True)
        sizes = tuple(abs(size) for axis, size in steps if axis in _SPACE)
        return tuple(size / min(sizes) for size in sizes) if self.unit == "pixel" else sizes

    def items(self) -> Iterator[tuple[str, Array, Array]]:
        """Yield name, predicted and true labels of every part that stands for itself.

        Independent slices and times do; there are no distances between them.
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


def _count_apart(axes: str) -> int:
    return sum(axis not in _SPACE for axis in axes)


def _turned(one: Scan, other: Scan) -> bool:
    """Whether two masks that know their place in the patient differ in where their axes go."""
    affines = [scan.meta.get("display_affine", scan.affine) for scan in (one, other)]
    if any(affine is None for affine in affines):
        return False
    first, second = (np.asarray(affine)[:3, :3] for affine in affines)
    main = np.abs(first).argmax(axis=0)
    columns = np.arange(3)
    same_axes = np.array_equal(main, np.abs(second).argmax(axis=0))
    signs = np.sign(first[main, columns]) == np.sign(second[main, columns])
    return not (same_axes and bool(signs.all()))


def _grid(scan: Scan) -> str:
    size = " × ".join(str(n) for n in scan.grid_shape)
    spacing = " × ".join(f"{s:g}" for s in scan.spacing)
    return f"{size} ({scan.grid_axes}, {spacing} {scan.unit})"


class Pairings(NamedTuple):
    """The categories that are compared."""

    known: tuple[Pairing, ...]
    closed: bool
    """Whether these are all; else any other label value is a category of its own."""
    notes: tuple[str, ...] = ()

    def of(self, found: Array, true: Array) -> tuple[Pairing, ...]:
        """Return the known ones, and those of other values that one of the arrays holds."""
        if self.closed:
            return self.known
        values = {int(v) for array in (found, true) for v in np.unique(array)}
        others = sorted(values - {0, IGNORE_INDEX} - {p.truth for p in self.known})
        return (*self.known, *(Pairing(str(value), value, value) for value in others))


FOREGROUND = Pairings((Pairing("foreground", 1, 1),), closed=True)


def to_foreground(labels: Array) -> Array:
    """Make every label 1, but for pixels that nobody has reviewed."""
    return np.where(labels == IGNORE_INDEX, IGNORE_INDEX, labels != 0).astype(np.uint8)


def pair_categories(predicted: Sequence[Category], truth: Sequence[Category]) -> Pairings:
    """Pair by name where the sides share one, else by label value."""
    ours = {c.name.casefold(): (value, c.name) for value, c in enumerate(predicted, 1)}
    theirs = {c.name.casefold(): (value, c.name) for value, c in enumerate(truth, 1)}
    if ours.keys() & theirs.keys():
        both, nothing = {**ours, **theirs}, (_NOWHERE, "")
        keys = (*theirs, *(key for key in ours if key not in theirs))
        pairs = (
            Pairing(both[key][1], ours.get(key, nothing)[0], theirs.get(key, nothing)[0])
            for key in keys
        )
        return Pairings(tuple(pairs), closed=True)
    note = "The two sides name no category alike, so equal label values are compared."
    named = tuple(Pairing(c.name, v, v) for v, c in enumerate(truth or predicted, 1))
    return Pairings(named, closed=False, notes=(note,) if ours and theirs else ())
