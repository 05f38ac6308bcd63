"""Predicted Dice: an estimate, for each slice, of the Dice of its mask, without the truth.

If the probabilities p were right, the Dice of a mask m would be about 2·Σ p·m / (Σ p + Σ m): the
expected Dice. Probabilities of a network are not quite right, so a calibration maps the expected
Dice to the Dice that held-out slices of the same expected Dice had: isotonic regression (Zadrozny
and Elkan 2002, KDD), whose knots are part of the checkpoint. A slice with an empty mask and
probabilities near 0 has a predicted Dice near 1.
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
"""Share of a slice's pixels that is added to numerator and denominator, so that a few stray pixels
lower the expected Dice of an empty mask only a little."""
_KNOTS = 32
_FEWEST = 20
"""Number of held-out slices below which no calibration is fitted."""


def expected_dice(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the Dice that each slice would have if its probabilities were right.

    Parameters
    ----------
    probabilities : Tensor
        Probabilities of the foreground classes, of shape (B, classes, …, Y, X).
    labels : Tensor
        Label values made from the probabilities, of shape (B, …, Y, X).

    Returns
    -------
    Tensor
        float32 of shape (B, …), in 0…1.
    """
    values = torch.arange(1, probabilities.shape[1] + 1, device=labels.device)
    mask = labels.unsqueeze(1) == values.view(-1, *[1] * (labels.ndim - 1))
    prior = _PRIOR * labels.shape[-1] * labels.shape[-2]
    overlap = (probabilities * mask).sum((-1, -2)).sum(1)
    total = (probabilities.sum((-1, -2)) + mask.sum((-1, -2))).sum(1)
    return (2 * overlap + prior) / (total + prior)


def predicted_dice(
    probabilities: torch.Tensor, labels: torch.Tensor, calibration: Calibration
) -> Array:
    """Return the calibrated expected Dice of each slice.

    Parameters
    ----------
    probabilities, labels : Tensor
        As `expected_dice` takes them.
    calibration : tuple of (float, float)
        Knots of `calibrate`; without knots the result is the expected Dice.

    Returns
    -------
    array
        float32 of shape (B, …), in 0…1.
    """
    raw: Array = expected_dice(probabilities, labels).cpu().numpy()
    if not calibration:
        return raw
    expected, true = zip(*calibration, strict=True)
    return np.asarray(np.interp(raw, expected, true), np.float32)


def slice_dice(labels: Array, truth: Array) -> Array:
    """Return the Dice of each slice over all categories.

    Parameters
    ----------
    labels, truth : array
        Label values of shape (…, Y, X); pixels that are `IGNORE_INDEX` in the truth do not count.

    Returns
    -------
    array
        float64 of shape (…); 1 where both masks are empty.
    """
    reviewed = truth != IGNORE_INDEX
    found, true = (labels != 0) & reviewed, (truth != 0) & reviewed
    same = (found & (labels == truth)).sum((-1, -2))
    total = found.sum((-1, -2)) + true.sum((-1, -2))
    return np.where(total, 2 * same / np.maximum(total, 1), 1.0)


def calibrate(expected: Sequence[float], true: Sequence[float]) -> Calibration:
    """Fit the monotonic map from expected Dice to measured Dice.

    Parameters
    ----------
    expected, true : sequence of float
        Expected and measured Dice of each held-out slice; the measured Dice is 1 where truth and
        mask are both empty.

    Returns
    -------
    tuple of (float, float)
        At most 32 knots (expected, measured) for linear interpolation; no knots if there are fewer
        than 20 slices.
    """
    if len(expected) < _FEWEST:
        return ()
    from scipy.optimize import isotonic_regression

    order = np.argsort(expected, kind="stable")
    x = np.asarray(expected, np.float64)[order]
    y = isotonic_regression(np.asarray(true, np.float64)[order]).x
    knots = np.unique(np.linspace(0, len(x) - 1, _KNOTS).round().astype(int))
    return tuple((round(float(x[i]), 4), round(float(y[i]), 4)) for i in knots)
