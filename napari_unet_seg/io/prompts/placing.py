"""The places of prompts in the array of a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import is_usable, shown_affine
from napari_unet_seg.io.common.places import index_at
from napari_unet_seg.io.prompts.read import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.prompts.entries import ObjectPrompts, Point, Prompts

Spot = tuple[float, float]
"""y and x on a slice, in pixels."""


@dataclass(frozen=True, slots=True)
class SliceMarks:
    """What marks an object on a slice."""

    points: list[Spot] = field(default_factory=list)
    outside_points: list[Spot] = field(default_factory=list)
    strokes: list[list[Spot]] = field(default_factory=list)
    outside_strokes: list[list[Spot]] = field(default_factory=list)
    boxes: list[tuple[Spot, Spot]] = field(default_factory=list)
    """Two opposite corners each."""

    @property
    def inside(self) -> bool:
        """Whether something says where the object is."""
        return bool(self.points or self.strokes or self.boxes)


Marked = dict[int, SliceMarks]
"""What marks an object, by the running number of the slice along the flattened leading axes."""


def placed(prompts: Prompts, scan: Scan, source: str = "The prompts") -> list[Marked]:
    """Return the marks of each object on the slices of a scan.

    Parameters
    ----------
    prompts : Prompts
        Of the scan, in its file's voxels or in millimetres.
    scan : Scan
        The scan.
    source : str
        Where the prompts come from, for messages.

    Raises
    ------
    DataError
        If a prompt does not lie in the scan, a stroke leaves its slice, or nothing says where an
        object is; the message names the entry.
    """
    places = _Places(scan, prompts.coordinates == "world", source)
    return [_marked(one, places, ("objects", i)) for i, one in enumerate(prompts.objects)]


def _marked(prompts: ObjectPrompts, places: _Places, at: tuple[str | int, ...]) -> Marked:
    found: Marked = {}

    def on(index: int) -> SliceMarks:
        return found.setdefault(index, SliceMarks())

    for kind in ("points", "outside_points"):
        for number, point in enumerate(getattr(prompts, kind)):
            index, spot = places.slice_of(point, (*at, kind, number))
            getattr(on(index), kind).append(spot)
    for kind in ("strokes", "outside_strokes"):
        for number, stroke in enumerate(getattr(prompts, kind)):
            index, spots = places.line_of(stroke, (*at, kind, number))
            getattr(on(index), kind).append(spots)
    for number, box in enumerate(prompts.boxes):
        for index, corners in places.box_of(box, (*at, "boxes", number)):
            on(index).boxes.append(corners)
    if not found or not all(marks.inside for marks in found.values()):
        where = " on each slice that it is marked on" if found else ""
        raise places.error(at, f"needs a point, stroke or box inside{where}; add it there")
    return found


class _Places:
    """From coordinates to places in a scan's array."""

    def __init__(self, scan: Scan, world: bool, source: str) -> None:
        self._scan, self._source = scan, source
        self._name = scan.path.name if scan.path else "the scan"
        grid = scan.grid_axes
        spatial = "XYZ" if world else [axis for axis in "XYZ" if axis in grid]
        self._axes = [*spatial, *(axis for axis in reversed(grid) if axis not in "XYZ")]
        self._to_array = self._matrix(world)

    def _matrix(self, world: bool) -> Array | None:
        """Return the affine from coordinates to the array's (x, y, z); None if they are that."""
        shown = shown_affine(self._scan)
        usable = shown is not None and is_usable(shown)
        if world and not usable:
            raise DataError(
                f"{self._source}: {self._name} has no place in the patient, which world "
                "coordinates need; give voxels."
            )
        if not usable or (not world and self._scan.affine is None):
            return None
        start: Any = np.eye(4) if world else self._scan.affine
        return np.asarray(np.linalg.solve(np.asarray(shown, float), np.asarray(start, float)))

    def error(self, at: tuple[str | int, ...], problem: str) -> DataError:
        return DataError(f"{self._source}: {entry(at)} {problem}.")

    def place_of(self, point: Point, at: tuple[str | int, ...]) -> dict[str, float]:
        """Return the place in the array by axis."""
        if len(point) != len(self._axes):
            wanted = ", ".join(self._axes).lower()
            numbers = f"{len(point)} number{'s' * (len(point) != 1)}"
            raise self.error(at, f"has {numbers} and {self._name} needs {wanted}; correct it there")
        along = dict(zip(self._axes, point, strict=True))
        xyz = np.array([along.get(axis, 0.0) for axis in "XYZ"] + [1.0])
        if self._to_array is not None:
            xyz = self._to_array @ xyz
        along |= dict(zip("XYZ", xyz[:3].tolist(), strict=True))
        sizes = dict(zip(self._scan.grid_axes, self._scan.grid_shape, strict=True))
        if not all(-0.5 <= along[axis] <= sizes.get(axis, 1) - 0.5 for axis in along):
            size = " × ".join(str(sizes.get(axis, 1)) for axis in self._axes)
            raise self.error(at, f"lies outside of {self._name} ({size} voxels); correct it there")
        return along

    def slice_of(self, point: Point, at: tuple[str | int, ...]) -> tuple[int, Spot]:
        """Return the slice that a point is on, and where."""
        along = self.place_of(point, at)
        return self._index(along), (along["Y"], along["X"])

    def line_of(
        self, stroke: tuple[Point, ...], at: tuple[str | int, ...]
    ) -> tuple[int, list[Spot]]:
        """Return the slice that a stroke is on, and its points there."""
        found = [self.slice_of(point, (*at, i)) for i, point in enumerate(stroke)]
        if len({index for index, _ in found}) != 1:
            problem = "runs over several slices" if found else "has no points"
            raise self.error(at, f"{problem}; give a stroke for each slice")
        return found[0][0], [spot for _, spot in found]

    def box_of(
        self, box: tuple[Point, Point], at: tuple[str | int, ...]
    ) -> Iterator[tuple[int, tuple[Spot, Spot]]]:
        """Yield each slice that a box goes through, and its corners there."""
        one, other = (self.place_of(point, (*at, i)) for i, point in enumerate(box))
        corners = (one["Y"], one["X"]), (other["Y"], other["X"])
        if any(round(one[axis]) != round(other[axis]) for axis in one if axis not in "XYZ"):
            raise self.error(at, "runs over several volumes; give a box for each of them")
        low, high = sorted(self._along(place, "Z") for place in (one, other))
        for z in range(low, high + 1):
            yield self._index(one | {"Z": float(z)}), corners

    def _along(self, place: dict[str, float], axis: str) -> int:
        """Return the index along an axis; the half pixels at the ends belong to the last ones."""
        sizes = dict(zip(self._scan.grid_axes, self._scan.grid_shape, strict=True))
        return min(max(0, round(place[axis])), sizes.get(axis, 1) - 1)

    def _index(self, place: dict[str, float]) -> int:
        leading = self._scan.grid_axes[:-2]
        where = tuple(self._along(place, axis) for axis in leading)
        return index_at(where, self._scan.grid_shape[:-2]) if leading else 0
