"""Uncertainty of a prediction."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def entropy(probabilities: Array, head: Literal["sigmoid", "softmax"]) -> Array:
    """Compute the Shannon entropy of each pixel's probabilities, in bits.

    Parameters
    ----------
    probabilities : array
        Of the foreground classes, of shape (classes, ...).
    head : str
        Softmax: one distribution over background and classes. Sigmoid: the largest of the
        classes' own entropies.

    Returns
    -------
    array
        float32 of shape (...).
    """
    p = probabilities.astype(np.float32).clip(1e-6, 1 - 1e-6)
    if head == "softmax":
        background = (1 - p.sum(axis=0, keepdims=True)).clip(1e-6, 1)
        p = np.concatenate([background, p])
        return np.asarray(-(p * np.log2(p)).sum(axis=0))
    return np.asarray((-(p * np.log2(p)) - (1 - p) * np.log2(1 - p)).max(axis=0))
