"""The best weights of a training: those of an epoch, or those that the training started from."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_unet_seg.training.held_out.gain import FEWEST, gains_of, is_certain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.training.held_out.gain import Dices
    from napari_unet_seg.training.held_out.validation import Validation

Score = tuple[float, ...]


def score_of(held_out: Validation, train_loss: float) -> Score:
    """Return by what epochs are compared: the Dice, then the loss.

    Equal Dice is common in the first epochs, when the net finds no small lesion at all.

    Parameters
    ----------
    held_out : Validation
        Of the held-out samples.
    train_loss : float
        Takes the place of their loss if there are none.
    """
    loss = held_out.loss if math.isfinite(held_out.loss) else train_loss
    return float(np.nan_to_num(held_out.dice)), -loss


@dataclass(slots=True, eq=False)
class Best:
    """Which weights of a training are the best so far.

    A model that the training started from stays the best until an epoch has gained on it beyond
    chance; of those that have, the one with the highest score is the best.
    """

    epoch: int = 0
    """0 for the weights that the training started from."""
    score: Score = ()
    """Of the best epoch; empty if there is none yet."""
    dice: float = math.nan
    start_score: Score = ()
    """Of the model that the training started from; empty if it does not compete."""
    start_dices: Dices = field(default_factory=dict)

    @classmethod
    def of_start(cls, held_out: Validation) -> Self:
        """Return the state of a training that starts from a model which competes."""
        score = score_of(held_out, sys.float_info.max)
        return cls(dice=held_out.dice, start_score=score, start_dices=held_out.dices)

    def offer(
        self, epoch: int, held_out: Validation, train_loss: float, patients: Sequence[str]
    ) -> bool:
        """Take an epoch for the best if it is; return whether it is.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.
        held_out : Validation
            Of its weights.
        train_loss : float
            Chooses the epoch if no samples are held out.
        patients : sequence of str
            The patient, or scan, of each held-out sample.
        """
        score = score_of(held_out, train_loss)
        is_best = score > self.score and self._has_gained(score, held_out.dices, patients)
        if is_best:
            self.epoch, self.score, self.dice = epoch, score, held_out.dice
        return is_best

    def _has_gained(self, score: Score, dices: Dices, patients: Sequence[str]) -> bool:
        if not self.start_score:
            return True
        gains = gains_of(self.start_dices, dices, patients)
        return is_certain(gains) if len(gains) >= FEWEST else score > self.start_score

    def progress(self) -> dict[str, Any]:
        """Return the state for the header of a checkpoint that can be resumed, without the Dice."""
        progress: dict[str, Any] = {"best_epoch": self.epoch, "best_score": self.score}
        if self.start_score:
            progress["start_score"] = self.start_score
            progress["start_dices"] = [[*key, dice] for key, dice in self.start_dices.items()]
        return progress

    @classmethod
    def resumed(cls, progress: dict[str, Any], dice: float) -> Self:
        """Return the state that `progress` stored."""
        return cls(
            progress["best_epoch"],
            tuple(progress["best_score"]),
            dice,
            tuple(progress.get("start_score", ())),
            {(sample, value): d for sample, value, d in progress.get("start_dices", ())},
        )
