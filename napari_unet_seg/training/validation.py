"""One pass over the held-out samples of a training."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.batches import in_order
from napari_unet_seg.data.prompts.simulation import clicked
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.inference.predicted_dice import (
    Calibration,
    calibrate,
    expected_dice,
    slice_dice,
)
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from napari_unet_seg.data.batches import Side
    from napari_unet_seg.training.distributed import Team
    from napari_unet_seg.training.trainer import Trainer

Array = np.ndarray[Any, np.dtype[Any]]

Scores = dict[tuple[int, int], Counts]

_NOTHING = Counts(0, 0, 0, 0)


@dataclass(slots=True, eq=False)
class Shown:
    """A slice to look at: the one with the most labelled pixels."""

    owner: int
    labelled: int
    image: Array
    truth: Array
    labels: Array


@dataclass(slots=True, eq=False)
class Validation:
    """What came of it."""

    loss: float
    """Mean over the items; NaN where none is held out."""
    dice: float
    """Mean over scans and classes that are in the truth or the prediction; else NaN."""
    shown: Shown | None
    calibration: Calibration
    """Of the predicted Dice, by slice."""


def validate(trainer: Trainer, side: Side, batch_size: int, classes: int, team: Team) -> Validation:
    """Validate a net; counts are added up over a scan, and over processes, before any Dice."""
    parts = team.gather(_validate_part(trainer, side, batch_size, classes, team))
    counts: Scores = defaultdict(lambda: _NOTHING)
    for part in parts:
        for key, value in part.counts.items():
            counts[key] = counts[key] + value
    # in order, so that the sum is the same for any number of processes
    dices = [c.dice for _, c in sorted(counts.items()) if c.tp + c.fp + c.fn]
    shown = [part.shown for part in parts if part.shown is not None]
    return Validation(
        sum(part.loss for part in parts) / len(side) if len(side) else math.nan,
        float(np.mean(dices)) if dices else math.nan,
        max(shown, key=lambda s: s.labelled, default=None),
        calibrate(
            [e for part in parts for e in part.expected], [t for part in parts for t in part.true]
        ),
    )


@dataclass(slots=True, eq=False)
class _Part:
    """What one process found."""

    counts: dict[tuple[int, int], Counts]
    """By scan and label value."""
    loss: float
    """Summed over the items."""
    shown: Shown | None
    expected: list[float]
    true: list[float]
    """Dice of each slice, expected and measured."""


def _validate_part(
    trainer: Trainer, side: Side, batch_size: int, classes: int, team: Team
) -> _Part:
    counts: Scores = defaultdict(lambda: _NOTHING)
    total, shown = 0.0, None
    expected: list[float] = []
    true: list[float] = []
    generator = torch.Generator()
    mine = team.share(np.arange(len(side)))
    for batch in in_order(len(mine), batch_size):
        indices = mine[batch]
        images, masks = inputs, _ = side.take(indices, generator)
        if trainer.net.config.prompts:
            inputs, masks = clicked(images, masks)
        loss, probable = trainer.validate(inputs, masks)
        total += loss * len(indices)
        labels = to_labels(probable, trainer.head)
        found, truth = labels.cpu().numpy(), masks.numpy()
        some = (masks != IGNORE_INDEX).any(-1).any(-1)
        expected += _expected(probable, labels, masks)[some].tolist()
        true += slice_dice(found, truth)[some.numpy()].tolist()
        for place, index in enumerate(indices):
            owner = side.owner(int(index))
            for value in range(1, classes + 1):
                key = (owner, value)
                counts[key] = counts[key] + count(found[place], truth[place], value)
            image = images[place, 0].numpy()
            candidate = _slice(owner, image, truth[place], found[place])
            if shown is None or candidate.labelled > shown.labelled:
                shown = candidate
    return _Part(dict(counts), total, shown, expected, true)


def _expected(probable: torch.Tensor, labels: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Expected Dice of each slice, on the processor, without the pixels that nobody reviewed."""
    known = (masks != IGNORE_INDEX).to(labels.device)
    return expected_dice(probable * known.unsqueeze(1), labels * known).cpu()


def _slice(owner: int, image: Array, truth: Array, labels: Array) -> Shown:
    """Of a patch of a volume, the slice with the most labelled pixels."""
    known = (truth > 0) & (truth != IGNORE_INDEX)
    if truth.ndim == 3:
        best = int(np.argmax(np.count_nonzero(known, axis=(1, 2))))
        image, truth, labels, known = image[best], truth[best], labels[best], known[best]
    grey = (image * 255).round().astype(np.uint8)
    return Shown(owner, int(np.count_nonzero(known)), grey, truth, labels)
