"""Labels of a session: what a slice holds, how it differs from its prediction, what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


@dataclass(frozen=True, slots=True)
class SliceChanges:
    """Pixels added to and removed from the prediction of a slice; relabelled pixels are both."""

    added: int
    removed: int
    dice: float
    """Dice to the prediction over all categories; NaN if both are empty."""


def slice_changes(prediction: Array, labels: Array) -> SliceChanges:
    """Compare the labels of a slice with its prediction; unreviewed pixels do not count."""
    reviewed = labels != IGNORE_INDEX
    before, after = (prediction != 0) & reviewed, (labels != 0) & reviewed
    differ = prediction != labels
    total = int(np.count_nonzero(before)) + int(np.count_nonzero(after))
    same = int(np.count_nonzero(before & after & ~differ))
    return SliceChanges(
        int(np.count_nonzero(after & differ)),
        int(np.count_nonzero(before & differ)),
        2 * same / total if total else float("nan"),
    )


def check_labels(labels: Any, scan: Scan, classes: int) -> None:
    """Raise DataError unless the labels are on the scan's grid and have categories."""
    if tuple(labels.shape) != scan.grid_shape:
        raise grid_error(tuple(labels.shape), scan)
    if np.asarray(labels).dtype.kind not in "bui":
        raise DataError(f"The prediction is of type {labels.dtype}; convert it to labels first.")
    values = np.asarray(labels)
    highest = int(values.max(where=values != IGNORE_INDEX, initial=0))
    if highest > classes:
        raise DataError(
            f"The labels reach {highest}, but there are only {classes} categories; labels of "
            "single objects must be turned into one label per category first."
        )


def has_mask(labels: Array) -> bool:
    """Whether any pixel has a category; unreviewed pixels have none."""
    return bool(np.any((labels != 0) & (labels != IGNORE_INDEX)))


def stray_label(labels: Array, classes: int) -> int:
    """Return a label that is no category and not the unreviewed label, 0 if there is none."""
    stray = labels[((labels < 0) | (labels > classes)) & (labels != IGNORE_INDEX)]
    return int(stray[0]) if stray.size else 0


def grid_error(shape: tuple[int, ...], scan: Scan) -> DataError:
    """Return the error for labels on another grid than the scan's."""
    name = scan.path.name if scan.path is not None else "the scan"
    return DataError(
        f"The labels are on a grid of {'×'.join(map(str, shape))} and {name} is on "
        f"{'×'.join(map(str, scan.grid_shape))}; choose the labels that were made on this scan."
    )
