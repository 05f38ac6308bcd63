"""How well a mask is likely to fit, without the truth: a predicted Dice per slice.

If the probabilities were right, the Dice of a mask m would be about 2·Σ p·m / (Σ p + Σ m). They
are not quite, so the figure is mapped to the Dice that held-out slices with the same figure had:
isotonic regression (Zadrozny and Elkan 2002, KDD), whose knots are part of the checkpoint.
A slice where nothing is found and nothing is expected counts as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, np.dtype[Any]]
Calibration = tuple[tuple[float, float], ...]

_PRIOR = 1e-3
"""Share of a slice's pixels that is added to both sides of the ratio: what a few stray pixels
weigh where nothing was found."""
_KNOTS = 32
_FEWEST = 20
"""Held-out slices below which no calibration is fitted."""


def expected_dice(probable: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Expected Dice of each slice if its probabilities were right.

    Parameters
    ----------
    probable : Tensor
        Probabilities of the foreground classes, of shape (B, classes, …, Y, X).
    labels : Tensor
        Label values made of them, of shape (B, …, Y, X).

    Returns
    -------
    Tensor
        float32 of shape (B, …), in 0…1.
    """
    values = torch.arange(1, probable.shape[1] + 1, device=labels.device)
    mask = labels.unsqueeze(1) == values.view(-1, *[1] * (labels.ndim - 1))
    prior = _PRIOR * labels.shape[-1] * labels.shape[-2]
    overlap = (probable * mask).sum((-1, -2)).sum(1)
    total = (probable.sum((-1, -2)) + mask.sum((-1, -2))).sum(1)
    return (2 * overlap + prior) / (total + prior)


def predicted_dice(probable: torch.Tensor, labels: torch.Tensor, calibration: Calibration) -> Array:
    """Calibrated expected Dice of each slice; as `expected_dice` where there is no calibration."""
    raw: Array = expected_dice(probable, labels).cpu().numpy()
    if not calibration:
        return raw
    expected, true = zip(*calibration, strict=True)
    return np.asarray(np.interp(raw, expected, true), np.float32)


def slice_dice(labels: Array, truth: Array) -> Array:
    """Dice of each slice over all categories, float64 of shape (…) for labels (…, Y, X).

    It is 1 where both are empty, and leaves out pixels that nobody has reviewed.
    """
    known = truth != IGNORE_INDEX
    found, true = (labels != 0) & known, (truth != 0) & known
    same = (found & (labels == truth)).sum((-1, -2))
    total = found.sum((-1, -2)) + true.sum((-1, -2))
    return np.where(total, 2 * same / np.maximum(total, 1), 1.0)


def calibrate(expected: Sequence[float], true: Sequence[float]) -> Calibration:
    """Knots that map expected Dice to the Dice of held-out slices, which never falls.

    Parameters
    ----------
    expected, true : sequence of float
        One figure a slice; true ones are 1 where truth and mask are empty.

    Returns
    -------
    tuple of (float, float)
        At most 32 knots for linear interpolation; none of fewer than 20 slices.
    """
    if len(expected) < _FEWEST:
        return ()
    from scipy.optimize import isotonic_regression

    order = np.argsort(expected, kind="stable")
    x = np.asarray(expected, np.float64)[order]
    y = isotonic_regression(np.asarray(true, np.float64)[order]).x
    knots = np.unique(np.linspace(0, len(x) - 1, _KNOTS).round().astype(int))
    return tuple((round(float(x[i]), 4), round(float(y[i]), 4)) for i in knots)
