"""Metrics of a category in a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.evaluation.surface import hd95

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.evaluation.mask_pairs import CategoryPairs


@dataclass(frozen=True, slots=True)
class Measure:
    """Metrics of one category in one scan, or in one independent slice."""

    name: str
    group: str
    category: str
    counts: Counts
    hd95: float
    """In the masks' unit; NaN where a mask is empty."""


def measure(
    item: str,
    group: str,
    found: Array,
    true: Array,
    pairs: CategoryPairs,
    spacing: tuple[float, ...],
) -> Iterator[Measure]:
    """Measure every category of one item; pixels unreviewed in the truth do not count.

    Parameters
    ----------
    item, group : str
        Names of the item and of its group.
    found, true : array
        Predicted and true label values, of one shape.
    pairs : CategoryPairs
        Categories to compare.
    spacing : tuple of float
        Voxel size along each axis.
    """
    reviewed = true != IGNORE_INDEX
    for pair in pairs.of(found, true):
        ours = (found == pair.predicted) & reviewed
        theirs = true == pair.truth
        # Unreviewed pixels stay marked in the truth, so that `count` leaves them out.
        counts = count(ours, np.where(reviewed, theirs, IGNORE_INDEX), 1)
        yield Measure(item, group, pair.category, counts, hd95(ours, theirs, spacing))
