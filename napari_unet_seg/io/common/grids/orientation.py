"""The planes of a volume as radiologists look at them, by the directions of its axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.io.common.grids.placement import is_usable, shown_affine

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

_LETTERS = ("RL", "AP", "IS")
"""Ends of each axis of the patient: right and left, front (anterior) and back (posterior), feet
(inferior) and head (superior)."""
_OPPOSITE = {pair[i]: pair[1 - i] for pair in _LETTERS for i in (0, 1)}
_UPRIGHT = {"axial": "PL", "coronal": "IL", "sagittal": "IP"}
"""By plane: what lies at the bottom, and what at the right of the screen."""
_STORED = {"XY": (0, 1, 2), "XZ": (1, 0, 2), "YZ": (2, 0, 1)}
"""By plane of a volume without an orientation: the axes of slices, rows and columns."""


class PlaneView(NamedTuple):
    """How a plane of a volume is shown."""

    name: str
    axes: tuple[int, int, int]
    """Which of Z, Y, X (0, 1, 2) runs across the planes, along their columns, and their rows."""
    flips: tuple[bool, bool] = (False, False)
    """Whether the axis on screen grows up instead of down, and left instead of right."""


def directions_of(scan: Scan) -> str:
    """Return a letter for each of Z, Y, X, by what its indices grow towards; empty if unknown.

    `SPL` is a volume of axial slices whose indices grow upwards, to the back and to the left side
    of the patient. Of an oblique volume the nearest directions count.
    """
    affine = shown_affine(scan)
    if affine is None or not is_usable(affine) or scan.grid_axes[-3:] != "ZYX":
        return ""
    # Rows: axes of the patient, to the left, back and up; columns: Z, Y, X of the array.
    linear = (np.diag([-1.0, -1.0, 1.0]) @ np.asarray(affine, float)[:3, :3])[:, ::-1]
    linear = linear / np.linalg.norm(linear, axis=0)
    best = max(permutations(range(3)), key=lambda p: sum(abs(linear[p[i], i]) for i in range(3)))
    return "".join(_LETTERS[row][int(linear[row, i] > 0)] for i, row in enumerate(best))


def plane_views(directions: str) -> dict[str, PlaneView]:
    """Return the upright views of a volume by name, from `directions_of`.

    Without directions the planes are those of the array, as they are stored.
    """
    if not directions:
        return {name: PlaneView(name, axes) for name, axes in _STORED.items()}
    return {name: _upright(name, directions) for name in _UPRIGHT}


def view_across(directions: str, axis: int) -> PlaneView:
    """Return the view of the planes that are stacked along one of Z, Y, X (0, 1, 2)."""
    return next(view for view in plane_views(directions).values() if view.axes[0] == axis)


def opposite(letter: str) -> str:
    """Return the letter of the other end of an axis of the patient."""
    return _OPPOSITE[letter]


def is_mirrored(directions: str) -> bool:
    """Whether Z, Y, X of a volume are no right-handed set of axes of the patient."""
    towards = [next(i for i in range(3) if letter in _LETTERS[i]) for letter in directions]
    signs = [letter == _LETTERS[i][1] for letter, i in zip(directions, towards, strict=True)]
    rows = np.zeros((3, 3))
    rows[range(3), towards] = np.where(signs, 1, -1)
    return bool(np.linalg.det(rows) < 0)


def turned_scan(scan: Scan, view: PlaneView) -> Scan:
    """Return a scan whose slices are the planes of a view, upright; its pixels are not copied.

    The last three axes but `C` are turned. The result has no affine.
    """
    first = len(scan.grid_axes) - 3
    order = [*range(first), *(first + axis for axis in view.axes)]
    channels = range(len(scan.grid_axes), len(scan.axes))
    data = scan.data.transpose([*order, *channels])
    rows, columns = (slice(None, None, -1 if flip else 1) for flip in view.flips)
    data = data[(*[slice(None)] * (first + 1), rows, columns)]
    spacing = tuple(scan.spacing[axis] for axis in order)
    return replace(scan, data=data, spacing=spacing, affine=None, meta={}, names=())


def turned_back(planes: Array, view: PlaneView) -> Array:
    """Return planes of a view, of shape (..., rows, columns), with the axes as in the volume."""
    rows, columns = (slice(None, None, -1 if flip else 1) for flip in view.flips)
    upright = planes[..., rows, columns]
    return upright if view.axes[1] < view.axes[2] else upright.swapaxes(-1, -2)


def _upright(name: str, directions: str) -> PlaneView:
    ends = [_axis_towards(directions, letter) for letter in _UPRIGHT[name]]
    (down, up), (right, left) = ends
    return PlaneView(name, (3 - down - right, down, right), (up, left))


def _axis_towards(directions: str, letter: str) -> tuple[int, bool]:
    """Return the axis along which a letter lies, and whether its indices grow away from it."""
    away = letter not in directions
    return directions.index(_OPPOSITE[letter] if away else letter), away
