"""Counts of pixels, and the metrics computed from counts (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of true positive, false positive, false negative and true negative pixels."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

    @property
    def dice(self) -> float:
        """2·tp / (2·tp + fp + fn); NaN where both masks are empty."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard); NaN where both masks are empty."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    @property
    def precision(self) -> float:
        """Tp / (tp + fp); NaN where the predicted mask is empty."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Tp / (tp + fn); NaN where the true mask is empty."""
        return _ratio(self.tp, self.tp + self.fn)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def count(predicted: Array, truth: Array, value: int) -> Counts:
    """Count the pixels of one label value.

    Parameters
    ----------
    predicted, truth : array
        Label values, of one shape; pixels that are `IGNORE_INDEX` in the truth do not count.
    value : int
        The label value.
    """
    reviewed = truth != IGNORE_INDEX
    found, true = (predicted == value) & reviewed, (truth == value) & reviewed
    tp, n_found, n_true = (int(np.count_nonzero(a)) for a in (found & true, found, true))
    total = int(np.count_nonzero(reviewed))
    return Counts(tp, n_found - tp, n_true - tp, total - n_found - n_true + tp)
