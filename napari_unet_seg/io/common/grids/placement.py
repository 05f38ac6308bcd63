"""The place of a scan's voxels in the patient."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

TOLERANCE = 0.1
"""Largest distance between the places of one voxel in two files, as a share of the voxel's size;
programs round affines to six or seven digits."""
_SINGULAR = 1e-6
"""Smallest volume of a voxel whose edges are all of length 1."""
_PLANES = {0: "sagittal", 1: "coronal", 2: "axial"}
"""Plane of the slices, by the axis of the patient (left, back, up) that they are stacked along."""


def shown_affine(scan: Scan) -> Array | None:
    """Return the affine (RAS+, mm) for the index order (x, y, z) of a scan's array; None without.

    A NIfTI array is turned upright when it is read, so that its file has another affine.
    """
    affine: Array | None = scan.meta.get("display_affine", scan.affine)
    return affine


def is_usable(affine: Array) -> bool:
    """Whether an affine of shape (4, 4) is finite and maps voxels to a volume."""
    linear = np.asarray(affine, float)[:3, :3]
    if not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(linear, axis=0)
    return bool(lengths.all()) and abs(np.linalg.det(linear / lengths)) > _SINGULAR


def offset(scan: Scan) -> tuple[float, ...]:
    """Return the place of the first voxel along each axis but `C`, in the unit of the spacing.

    The axes of the patient are turned onto those of the array around the scanner's origin. Scans of
    the same orientation therefore lie exactly on top of each other without any rotation, also if
    they are oblique; viewers cut rotated arrays by slices that mix several of the stored ones.
    Zeros for a scan without a place.
    """
    axes = scan.grid_axes
    affine = shown_affine(scan)
    if affine is None or not is_usable(affine) or not set("YX") <= set(axes):
        stored: tuple[float, ...] = scan.meta.get("translation", (0.0,) * len(axes))
        return stored
    linear = affine[:3, :3]
    lengths = np.linalg.norm(linear, axis=0)
    # The nearest rotation, by the polar decomposition; the slices of a tilted gantry shear.
    left, _, right = np.linalg.svd(linear / lengths)
    place = (left @ right).T @ affine[:3, 3] * (scan.spacing[axes.index("X")] / lengths[0])
    along = dict(zip("XYZ", place.tolist(), strict=True))
    return tuple(along.get(axis, 0.0) for axis in axes)


def misplacement(one: Scan, other: Scan, share: float = TOLERANCE) -> str:
    """Return by how much the voxels of two files of one grid lie apart, as a clause.

    Empty if they lie in the same place, or if a file has no place or another grid.

    Parameters
    ----------
    one, other : Scan
        A scan and its mask for example.
    share : float
        Distance that is accepted, as a share of the voxel size.
    """
    affines = [shown_affine(scan) for scan in (one, other)]
    placed = [np.asarray(affine, float) for affine in affines if affine is not None]
    if one.grid_shape != other.grid_shape or len(placed) < 2 or not all(map(is_usable, placed)):
        return ""
    first, second = placed
    last = dict(zip(one.grid_axes, (n - 1 for n in one.grid_shape), strict=True))
    corners = np.array(list(product(*((0, last.get(axis, 0)) for axis in "XYZ"))), float)
    apart = (corners @ (first - second)[:3, :3].T) + (first - second)[:3, 3]
    far = float(np.linalg.norm(apart, axis=1).max())
    size = float(np.linalg.norm(first[:3, :3], axis=0).min())
    if far <= share * size:
        return ""
    return f"the same voxels lie up to {far:.3g} mm apart, by the affines in the files"


def voxel_map(scan: Scan, onto: Scan) -> Array | None:
    """Return the affine from voxels (x, y, z) of one scan to voxels (x, y, z) of another.

    Parameters
    ----------
    scan, onto : Scan
        The affine maps places in the array of `onto` to places in the array of `scan`.

    Returns
    -------
    array or None
        float64 of shape (4, 4); None if one of the scans has no place in the patient.
    """
    ours, theirs = shown_affine(scan), shown_affine(onto)
    if ours is None or theirs is None or not (is_usable(ours) and is_usable(theirs)):
        return None
    mapped: Array = np.linalg.solve(np.asarray(ours, float), np.asarray(theirs, float))
    return mapped


def plane_of(scan: Scan) -> str:
    """Return `axial`, `coronal` or `sagittal` for the slices of a scan; empty if unknown."""
    affine = shown_affine(scan)
    if affine is None or not is_usable(affine):
        return ""
    return _PLANES[int(np.abs(np.cross(affine[:3, 0], affine[:3, 1])).argmax())]
