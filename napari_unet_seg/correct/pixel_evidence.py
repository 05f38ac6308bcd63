"""Evidence of single pixels for being foreground, as log odds: probabilities and grey values."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_BINS = 32
_SURE = 0.02
"""Probabilities are clipped to this distance from 0 and 1."""
_LARGEST_RATIO = 3.0
"""Logarithm of the largest ratio of likelihoods: e³ is about 20."""


def log_odds(probability: Array) -> Array:
    """Return the log odds of probabilities, float32, within ±3.9; NaN counts as 0.5."""
    sure = np.nan_to_num(probability.astype(np.float32), nan=0.5)
    sure = np.clip(sure, _SURE, 1 - _SURE)
    odds: Array = np.log(sure / (1 - sure))
    return odds


def finite(image: Array) -> Array:
    """Return an image as float32; values that are not finite are replaced by the median."""
    values = image.astype(np.float32)
    valid = np.isfinite(values)
    if valid.all():
        return values
    return np.where(valid, values, np.median(values[valid]) if valid.any() else 0)


def grey_levels(image: Array) -> Array:
    """Quantise an image into 32 levels between its 0.5th and 99.5th percentile, int64."""
    low, high = np.percentile(image, [0.5, 99.5])
    share = (image - low) / max(high - low, least_contrast(image))
    levels: Array = np.rint(np.clip(share, 0, 1) * (_BINS - 1)).astype(np.int64)
    return levels


def least_contrast(image: Array) -> float:
    """Return the smallest contrast above rounding errors: 1e-5 of the largest magnitude."""
    return max(1e-5 * float(np.abs(image).max()), float(np.finfo(np.float32).tiny))


def grey_histogram(levels: Array, weight: Array) -> Array:
    """Return the smoothed histogram of the levels of weighted pixels, of shape (32,).

    It is uniform if all weights are 0; a hundredth is added to each bin of a sum of 1.
    """
    from scipy.ndimage import gaussian_filter1d

    counts = np.bincount(levels.ravel(), weight.ravel(), _BINS)
    smooth = gaussian_filter1d(counts, 1.5, mode="constant")
    total = smooth.sum()
    return (smooth / total if total else np.full(_BINS, 1 / _BINS)) + 0.01


def grey_odds(levels: Array, inside: Array, outside: Array) -> Array:
    """Return the log likelihood ratio of each pixel's level by two histograms, within ±3."""
    ratio = np.log(inside / outside)
    return np.clip(ratio, -_LARGEST_RATIO, _LARGEST_RATIO)[levels]
