"""The line on a finished prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.inference.removal.mask_note import mask_note
from napari_unet_seg.models import ANY_SEQUENCE, BUNDLED
from napari_unet_seg.models.description import model_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.events import PredictFinished

_MORE_IN = ("FLAIR",)
"""Sequences in which the any-sequence model was measured to find more than the bundled one."""


def summary(prediction: PredictFinished, notes: Sequence[str] = ()) -> str:
    """Return the predicted Dice, the time and the device, and further sentences.

    These are on what became of the mask, and the notes.
    """
    line = f"{_fit(prediction)}{prediction.seconds:.1f} s on {prediction.device}"
    of_mask = mask_note(prediction.left_out, prediction.outside, prediction.carried)
    notes = (of_mask, *notes) if of_mask else notes
    return " ".join((f"{line}.", *notes)) if notes else line


def _fit(prediction: PredictFinished) -> str:
    """Return the range of the predicted Dice of the slices on which something was found.

    A model without a calibration knows none.
    """
    found = (prediction.labels > 0) & (prediction.labels != IGNORE_INDEX)
    dice = prediction.dice[found.any((-2, -1))]
    if not dice.size:
        return ""
    if np.isnan(dice).all():
        return "Predicted Dice not known · "
    fit = f"Predicted Dice {dice.min():.2f}"
    return f"{fit}…{dice.max():.2f} · " if dice.size > 1 else f"{fit} · "


def better_model(model: Path, sequence: str) -> str:
    """Return a sentence on the model of the package that finds more in a sequence; else empty."""
    if model != BUNDLED or sequence not in _MORE_IN:
        return ""
    return f"“{model_name(ANY_SEQUENCE)}” finds more in {sequence}: choose it in the header."
