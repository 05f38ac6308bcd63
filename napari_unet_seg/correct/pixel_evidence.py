"""What pixels say of being foreground, as log odds: a network's map, and grey values alone."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_BINS = 32
_SURE = 0.02
"""No probability counts as surer than this far from 0 and 1."""
_LARGEST_RATIO = 3.0
"""The log of the largest ratio of likelihoods: e³ is about 20 to 1."""


def log_odds(probability: Array) -> Array:
    """Log odds of probabilities, float32, within ±3.9; NaN counts as 0.5."""
    sure = np.nan_to_num(probability.astype(np.float32), nan=0.5)
    sure = np.clip(sure, _SURE, 1 - _SURE)
    odds: Array = np.log(sure / (1 - sure))
    return odds


def finite(image: Array) -> Array:
    """The image as float32, with the median in place of what is no finite number."""
    values = image.astype(np.float32)
    known = np.isfinite(values)
    if known.all():
        return values
    return np.where(known, values, np.median(values[known]) if known.any() else 0)


def grey_levels(image: Array) -> Array:
    """The image in 32 levels between its 0.5th and 99.5th percentile, int64."""
    low, high = np.percentile(image, [0.5, 99.5])
    share = (image - low) / max(high - low, least_contrast(image))
    levels: Array = np.rint(np.clip(share, 0, 1) * (_BINS - 1)).astype(np.int64)
    return levels


def least_contrast(image: Array) -> float:
    """What is no more than rounding: a hundred-thousandth of the largest magnitude, never zero."""
    return max(1e-5 * float(np.abs(image).max()), float(np.finfo(np.float32).tiny))


def grey_histogram(levels: Array, weight: Array) -> Array:
    """How often each level occurs in the weighted pixels, smoothed, of sum 1; level if none do."""
    from scipy.ndimage import gaussian_filter1d

    counts = np.bincount(levels.ravel(), weight.ravel(), _BINS)
    smooth = gaussian_filter1d(counts, 1.5, mode="constant")
    total = smooth.sum()
    return (smooth / total if total else np.full(_BINS, 1 / _BINS)) + 0.01


def grey_odds(levels: Array, inside: Array, outside: Array) -> Array:
    """Log ratio of the likelihoods of each pixel's level, by two histograms, within ±3."""
    ratio = np.log(inside / outside)
    return np.clip(ratio, -_LARGEST_RATIO, _LARGEST_RATIO)[levels]
