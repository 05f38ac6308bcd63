"""What a prediction holds: the volume of each category, and where the largest lesion is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.geometry import ml_text
from napari_unet_seg.correct.lesions import largest_lesion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg._napari.layers.geometry import VoxelSize
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.places import Place


class Amount(NamedTuple):
    """How much of a category was found."""

    name: str
    voxels: int
    ml: float | None
    """Volume in millilitres; None for slices that form no volume, or have no unit of length."""

    def __str__(self) -> str:
        if self.ml is None:
            return f"{self.name} {self.voxels:,} pixels"
        return f"{self.name} {ml_text(self.ml)} ({self.voxels:,} voxels)"


class Findings(NamedTuple):
    """What a prediction holds."""

    amounts: tuple[Amount, ...]
    """The categories that were found."""
    place: Place | None
    """The slice with most of the largest lesion, along the leading axes; None if there is none."""


def find(
    labels: Array, categories: Sequence[Category], voxel: VoxelSize, *, volume: bool
) -> Findings:
    """Measure a prediction.

    Parameters
    ----------
    labels : array
        Labels of shape (..., Y, X); the last three axes are a volume if `volume`.
    categories : sequence of Category
        The categories of the labels, from 1.
    voxel : VoxelSize
        The size of a voxel along each axis of the labels.
    volume : bool
        Whether neighbouring slices belong together.
    """
    counts = np.bincount(labels.ravel(), minlength=len(categories) + 1)
    each = voxel.ml if volume else None
    amounts = tuple(
        Amount(category.name, int(counts[value]), None if each is None else each * counts[value])
        for value, category in enumerate(categories, 1)
        if counts[value]
    )
    return Findings(amounts, largest_lesion(labels, volume=volume))
