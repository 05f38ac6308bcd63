"""Small parts of the mask of a volume: found and removed slice by slice.

A network of slices sees none of a slice's neighbours, and marks vessels, eyes and the ends of the
head here and there. Such islands are small beside the lesion. What is small is told by the largest
part of the same category, so that no category is emptied and no unit of length is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.removal.parts import numbered, parts_of


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
    parts = parts_of(labels, volume)
    if parts is None:
        return LeftOut(), []
    small = parts.small(share)
    emptied, first = [], 0
    for index, count in enumerate(parts.counts):
        numbers = np.flatnonzero(small[first : first + count]) + 1
        first += count
        if not numbers.size:
            continue
        plane = np.array(labels[(*volume, index)])
        plane[np.isin(numbered(plane)[0], numbers)] = 0
        labels[(*volume, index)] = plane
        if not plane.any():
            emptied.append(index)
    return parts.summed(small), emptied
