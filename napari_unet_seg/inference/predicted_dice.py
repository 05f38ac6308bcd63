"""Predicted Dice: an estimate, for each slice, of the Dice of its mask, without the truth.

If the probabilities p were right, the Dice of a mask m would be about 2·Σ p·m / (Σ p + Σ m): the
expected Dice. Probabilities of a network are not quite right, so a calibration maps the expected
Dice to the Dice that held-out slices of the same expected Dice had: isotonic regression (Zadrozny
and Elkan 2002, KDD), whose knots are part of the checkpoint. Without a calibration the Dice is not
known: networks are far surer of themselves than they are right. A slice with an empty mask and
probabilities near 0 has a predicted Dice near 1.

A network of slices does not see the slices beside, so how well their masks agree is a second sign,
which its probabilities do not hold: a mask that is alone in its volume is mostly wrong. In a volume
the predicted Dice is the mean of both. A network of volumes sees them, and a slice that is
segmented alone has none.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.models.header import CheckpointInfo

PRIOR = 3e-3
"""Share of a slice's pixels that is added to numerator and denominator, so that a few stray pixels
lower the expected Dice of an empty mask only a little."""
_BLOCK = 8
"""Pixels of a side of the blocks in which the surroundings of a mask are found: at full size it
would take longer than the network."""
_KNOTS = 32
_FEWEST_SLICES = 20
_FEWEST_PATIENTS = 8
"""Numbers of held-out slices and patients below which no calibration is fitted."""


class Calibration(NamedTuple):
    """The monotonic map from expected Dice to the Dice that held-out slices had."""

    knots: tuple[tuple[float, float], ...] = ()
    """Expected and measured Dice, for linear interpolation; without knots nothing is known."""
    prior: float = PRIOR
    """Prior of the expected Dice, see `PRIOR`."""


def expected_dice(
    probabilities: torch.Tensor, labels: torch.Tensor, prior: float = PRIOR
) -> torch.Tensor:
    """Return the Dice that each slice would have if its probabilities were right.

    Parameters
    ----------
    probabilities : Tensor
        Probabilities of the foreground classes, of shape (B, classes, …, Y, X).
    labels : Tensor
        Label values made from the probabilities, of shape (B, …, Y, X).
    prior : float
        See `PRIOR`.

    Returns
    -------
    Tensor
        float32 of shape (B, …), in 0…1.
    """
    values = torch.arange(1, probabilities.shape[1] + 1, device=labels.device)
    mask = labels.unsqueeze(1) == values.view(-1, *[1] * (labels.ndim - 1))
    pixels = prior * labels.shape[-1] * labels.shape[-2]
    overlap = (probabilities * mask).sum((-1, -2)).sum(1)
    total = (probabilities.sum((-1, -2)) + mask.sum((-1, -2))).sum(1)
    return (2 * overlap + pixels) / (total + pixels)


def predicted_dice(
    probabilities: torch.Tensor, labels: torch.Tensor, info: CheckpointInfo
) -> Array:
    """Return the calibrated expected Dice of each slice; NaN, not known, without a calibration.

    Parameters
    ----------
    probabilities, labels : Tensor
        As `expected_dice` takes them.
    info : CheckpointInfo
        Header of the model, with its calibration.

    Returns
    -------
    array
        float32 of shape (B, …), in 0…1.
    """
    raw = expected_dice(probabilities, labels, info.calibration_prior).cpu().numpy()
    if not info.calibration:
        return np.full_like(raw, np.nan)
    expected, true = zip(*info.calibration, strict=True)
    return np.asarray(np.interp(raw, expected, true), np.float32)


def emptied_dice(probabilities: torch.Tensor, labels: torch.Tensor, info: CheckpointInfo) -> Array:
    """Return the predicted Dice of each slice if its whole mask is removed.

    The probabilities at the mask and 16 to 24 pixels around it count as nothing: they are why there
    was a mask, and it was taken for wrong. Those elsewhere may be of a lesion that was missed.

    Parameters
    ----------
    probabilities, labels : Tensor
        As `expected_dice` takes them, of shape (B, classes, Y, X) and (B, Y, X).
    info : CheckpointInfo
        Header of the model, with its calibration.

    Returns
    -------
    array
        float32 of shape (B,), in 0…1; NaN without a calibration.
    """
    blocks = F.max_pool2d((labels != 0).float().unsqueeze(1), _BLOCK, ceil_mode=True)
    near = F.interpolate(F.max_pool2d(blocks, 5, 1, 2), scale_factor=_BLOCK)
    away = 1 - near[..., : labels.shape[-2], : labels.shape[-1]]
    return predicted_dice(probabilities * away, torch.zeros_like(labels), info)


def agreeing(dice: float, beside: Sequence[float]) -> float:
    """Return the predicted Dice of a slice of a volume.

    Parameters
    ----------
    dice : float
        Its calibrated expected Dice.
    beside : sequence of float
        Dice between its mask and those of the slices beside it, which may be none.

    Returns
    -------
    float
        The mean of the calibrated Dice and of the mean agreement.
    """
    return (dice + float(np.mean(beside))) / 2 if len(beside) else dice


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


def calibrate(
    expected: Sequence[float], true: Sequence[float], patients: Sequence[Hashable]
) -> Calibration:
    """Fit the map from expected Dice to measured Dice, in which every patient counts the same.

    Parameters
    ----------
    expected, true : sequence of float
        Expected and measured Dice of each held-out slice; the measured Dice is 1 where truth and
        mask are both empty.
    patients : sequence of hashable
        The patient, or scan, of each slice.

    Returns
    -------
    Calibration
        At most 32 knots; none if there are fewer than 20 slices or 8 patients: few patients tell
        how well the model does on them, not how well on the next one.
    """
    slices = Counter(patients)
    if len(expected) < _FEWEST_SLICES or len(slices) < _FEWEST_PATIENTS:
        return Calibration()
    from scipy.optimize import isotonic_regression

    order = np.argsort(expected, kind="stable")
    x = np.asarray(expected, np.float64)[order]
    weights = np.array([1 / slices[patient] for patient in patients])[order]
    y = isotonic_regression(np.asarray(true, np.float64)[order], weights=weights).x
    knots = np.unique(np.linspace(0, len(x) - 1, _KNOTS).round().astype(int))
    return Calibration(tuple((round(float(x[i]), 4), round(float(y[i]), 4)) for i in knots))
