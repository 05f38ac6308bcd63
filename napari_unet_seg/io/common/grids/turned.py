"""Masks whose voxels are those of their scan in another order, by the affines of both files.

A series of sagittal DICOM slices is read as it was acquired, and the same scan as NIfTI upright, so
that a mask that was saved as NIfTI has its axes in another order, or in the opposite direction.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import TOLERANCE, is_usable, shown_affine

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

_SPACE = "XYZ"
_KEPT = ("soft", "description")
"""What `read_labels` says of a mask's values, which do not depend on the order of its voxels."""


class _Turn(NamedTuple):
    """How the axes of a mask become those of its scan."""

    axes: tuple[int, ...]
    """For each of X, Y and Z of the scan, which of X, Y and Z of the mask runs along it."""
    flipped: tuple[bool, ...]
    """For each of X, Y and Z of the scan, whether the mask's axis runs the other way."""


def turned_onto(mask: Scan, scan: Scan, names: tuple[str, str] = ("The mask", "its scan")) -> Scan:
    """Return a mask with its voxels in the order of a scan's, if both files hold the same voxels.

    Voxels are only put in another order, and none is interpolated.

    Parameters
    ----------
    mask, scan : Scan
        A mask and its scan, or another mask.
    names : (str, str)
        Their names at the start and within a message.

    Returns
    -------
    Scan
        The mask on the scan's grid, with a view of its array; the mask itself if its axes run as
        the scan's do, if a file has no place, or if its voxels fill another grid.

    Raises
    ------
    DataError
        If the axes run in other directions over a grid of the same shape, but the voxels are not
        the same.
    """
    ours, theirs = shown_affine(mask), shown_affine(scan)
    if ours is None or theirs is None or not (is_usable(ours) and is_usable(theirs)):
        return mask
    turn = _turn(ours, theirs)
    if turn is None:
        return mask
    if not _fits(turn, np.linalg.inv(theirs) @ ours, mask, scan):
        if mask.grid_shape != scan.grid_shape:
            return mask
        raise DataError(
            f"{names[0]} has its axes in another direction than {names[1]}, and its voxels lie "
            "between those; give the mask that was made on this scan."
        )
    meta = {key: mask.meta[key] for key in _KEPT if key in mask.meta}
    return replace(
        scan,
        data=_turned(np.asarray(mask.data), turn, mask, scan),
        axes=scan.grid_axes,
        path=mask.path,
        affine=shown_affine(scan),
        meta=meta,
    )


def _turn(ours: Array, theirs: Array) -> _Turn | None:
    """Return the nearest turn between two affines for (x, y, z); None if the axes run alike."""
    # The size of a voxel differs along the axes, so that directions are compared.
    first, second = (
        place[:3, :3] / np.linalg.norm(place[:3, :3], axis=0) for place in (ours, theirs)
    )
    directions = np.linalg.inv(second) @ first
    axes = tuple(np.abs(directions).argmax(axis=1).tolist())
    flipped = tuple(bool(directions[i, axis] < 0) for i, axis in enumerate(axes))
    runs_alike = axes == (0, 1, 2) and not any(flipped)
    return None if runs_alike or sorted(axes) != [0, 1, 2] else _Turn(axes, flipped)


def _fits(turn: _Turn, between: Array, mask: Scan, scan: Scan) -> bool:
    """Whether the turned voxels are the scan's, by the affine from (x, y, z) to (x, y, z)."""
    ours, theirs = _extent(mask), _extent(scan)
    if _others(mask) != _others(scan) or [ours[i] for i in turn.axes] != theirs:
        return False
    corners = np.array(list(product(*((0, n - 1) for n in ours))), float)
    expected = corners[:, turn.axes]
    expected = np.where(turn.flipped, np.array(theirs) - 1 - expected, expected)
    found = corners @ between[:3, :3].T + between[:3, 3]
    return bool(np.abs(found - expected).max() <= TOLERANCE)


def _turned(data: Array, turn: _Turn, mask: Scan, scan: Scan) -> Array:
    whole = data.reshape([n for _, n in _others(mask)] + _extent(mask)[::-1])
    first = whole.ndim - 3
    # The array's axes are Z, Y and X, and those of the turn X, Y and Z.
    order = [first + 2 - axis for axis in reversed(turn.axes)]
    flipped = tuple(first + axis for axis, flip in enumerate(reversed(turn.flipped)) if flip)
    turned: Array = np.flip(whole.transpose([*range(first), *order]), flipped)
    return turned.reshape(scan.grid_shape)


def _extent(scan: Scan) -> list[int]:
    """Return the number of voxels along X, Y and Z; 1 along Z for a single slice."""
    sizes = dict(zip(scan.grid_axes, scan.grid_shape, strict=True))
    return [sizes.get(axis, 1) for axis in _SPACE]


def _others(scan: Scan) -> list[tuple[str, int]]:
    """Return the axes outside space with their sizes."""
    axes = zip(scan.grid_axes, scan.grid_shape, strict=True)
    return [(axis, size) for axis, size in axes if axis not in _SPACE]
