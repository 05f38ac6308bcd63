"""Surfaces of the categories of a mask, computed in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.arrays import Array

_MOST_VOXELS = 4_000_000
"""Voxels of the box around a category up to which its surface has the full resolution."""
_MOST_SURFACES = 16


class CategorySurface(NamedTuple):
    """The surface of a label in a volume."""

    value: int
    vertices: Array
    """float32 of shape (N, 3): Z, Y, X in the unit of the spacing, from the first voxel."""
    faces: Array
    """Indices of the vertices, of shape (M, 3)."""
    volume: float
    """Number of voxels times their size."""


def surfaces_of(
    labels: Array, spacing: tuple[float, float, float]
) -> Generator[CategorySurface, Any, None]:
    """Yield the surface of each label of a volume.

    Parameters
    ----------
    labels : array
        Integers (Z, Y, X), copied, since a thread reads them; unreviewed pixels have no surface.
    spacing : tuple of float
        Size of a voxel along Z, Y and X.
    """
    from scipy.ndimage import find_objects

    boxes = find_objects(np.where(labels == IGNORE_INDEX, 0, labels))
    found = [(value, box) for value, box in enumerate(boxes, 1) if box is not None]
    for value, box in found[:_MOST_SURFACES]:
        yield _surface(labels, value, box, spacing)


def _surface(
    labels: Array, value: int, box: tuple[slice, ...], spacing: tuple[float, ...]
) -> CategorySurface:
    from scipy.ndimage import gaussian_filter
    from skimage.measure import marching_cubes

    inside = labels[box] == value
    step = max(1, round((inside.size / _MOST_VOXELS) ** (1 / 3)))
    # A margin closes the surface at the borders; the filter removes the steps of the voxels.
    smooth = gaussian_filter(np.pad(inside[::step, ::step, ::step], 3).astype(np.float32), 0.7)
    level = min(0.5, float(smooth.max()) / 2)
    sizes = np.array(spacing) * step
    vertices, faces, _, _ = marching_cubes(smooth, level, spacing=tuple(sizes.tolist()))  # type: ignore[no-untyped-call]
    start = np.array([part.start for part in box]) * spacing - 3 * sizes
    volume = float(np.count_nonzero(inside) * np.prod(spacing))
    return CategorySurface(value, (vertices + start).astype(np.float32), faces, volume)
