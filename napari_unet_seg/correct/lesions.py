"""Where the lesion of a mask is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Place


def largest_lesion(labels: Array, *, volume: bool) -> Place | None:
    """Return the slice with most pixels of the largest connected lesion, of any categories.

    Parameters
    ----------
    labels : array
        Labels of shape (..., Y, X); the last three axes are a volume if `volume`.
    volume : bool
        Whether neighbouring slices belong together.

    Returns
    -------
    tuple of int or None
        The slice along the leading axes; None if there is no lesion.
    """
    found = (labels > 0) & (labels != IGNORE_INDEX)
    boxes = ndimage.find_objects(found.astype(np.uint8))
    if not boxes:
        return None
    box = boxes[0]
    parts, count = ndimage.label(found[box], _neighbours(labels.ndim, 3 if volume else 2))
    sizes = ndimage.sum_labels(found[box], parts, np.arange(1, count + 1))
    areas = (parts == 1 + int(np.argmax(sizes))).sum(axis=(-2, -1))
    if labels.ndim == 2:
        return ()
    inside = np.unravel_index(int(np.argmax(areas)), areas.shape)
    return tuple(int(at) + part.start for at, part in zip(inside, box, strict=False))


def _neighbours(ndim: int, axes: int) -> Array:
    """Return the neighbourhood of a voxel along the last axes, faces only."""
    axes = min(axes, ndim)
    whole = np.zeros((3,) * ndim, bool)
    whole[(1,) * (ndim - axes)] = ndimage.generate_binary_structure(axes, 1)
    return whole
