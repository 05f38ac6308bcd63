"""Validation of a net on the held-out samples of a training."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.training.distributed import ProcessGroup
    from napari_unet_seg.training.held_out.gain import Dices
    from napari_unet_seg.training.trainer import Trainer


Scores = dict[tuple[int, int], Counts]

_NOTHING = Counts(0, 0, 0, 0)


@dataclass(slots=True, eq=False)
class PreviewSlice:
    """The validation slice with the most labelled pixels."""

    owner: int
    """Index of its sample in the validation split."""
    labelled: int
    """Number of labelled pixels in the truth."""
    image: Array
    """uint8 of shape (Y, X)."""
    truth: Array
    """uint8 labels of shape (Y, X)."""
    labels: Array
    """The network's labels, uint8 of shape (Y, X)."""


@dataclass(slots=True, eq=False)
class Validation:
    """Result of a validation."""

    loss: float
    """Mean over the items; NaN if there are none."""
    dice: float
    """Mean over scans and classes that occur in the truth or the prediction; NaN if there are
    none."""
    dices: Dices
    """Dice of each scan and class that occur in the truth or the prediction."""
    preview: PreviewSlice | None
    calibration: Calibration
    """Of the predicted Dice, fitted to the validation slices."""


def validate(
    trainer: Trainer,
    items: SplitItems,
    batch_size: int,
    classes: int,
    processes: ProcessGroup,
    patients: Sequence[str],
) -> Validation:
    """Validate a net on the held-out items of all processes.

    Pixels are counted over a whole scan, and over all processes, before its Dice is computed.

    Parameters
    ----------
    trainer : Trainer
        Of the net.
    items : SplitItems
        The validation split; may be empty.
    batch_size : int
        Items of a batch.
    classes : int
        Number of foreground classes.
    processes : ProcessGroup
        Processes that share the items.
    patients : sequence of str
        The patient, or scan, of each sample of the split.
    """
    parts = processes.all_gather(_validate_shard(trainer, items, batch_size, classes, processes))
    counts: Scores = defaultdict(lambda: _NOTHING)
    for part in parts:
        for key, value in part.counts.items():
            counts[key] = counts[key] + value
    # In order, so that the sum is the same for any number of processes.
    dices = {key: c.dice for key, c in sorted(counts.items()) if c.tp + c.fp + c.fn}
    preview = [part.preview for part in parts if part.preview is not None]
    return Validation(
        sum(part.loss for part in parts) / len(items) if len(items) else math.nan,
        float(np.mean([*dices.values()])) if dices else math.nan,
        dices,
        max(preview, key=lambda s: s.labelled, default=None),
        calibrate(
            [e for part in parts for e in part.expected],
            [t for part in parts for t in part.true],
            [patients[owner] for part in parts for owner in part.owners],
        ),
    )


@dataclass(slots=True, eq=False)
class _ProcessResult:
    """Result of one process."""

    counts: dict[tuple[int, int], Counts]
    """By scan and label value."""
    loss: float
    """Summed over the items."""
    preview: PreviewSlice | None
    expected: list[float]
    true: list[float]
    """Expected and measured Dice of each slice with reviewed pixels."""
    owners: list[int]
    """Index of the sample that each of these slices is of."""


def _validate_shard(
    trainer: Trainer, items: SplitItems, batch_size: int, classes: int, processes: ProcessGroup
) -> _ProcessResult:
    counts: Scores = defaultdict(lambda: _NOTHING)
    total, preview = 0.0, None
    expected: list[float] = []
    true: list[float] = []
    owners: list[int] = []
    generator = torch.Generator()
    mine = processes.shard(np.arange(len(items)))
    for batch in in_order(len(mine), batch_size):
        indices = mine[batch]
        images, masks = inputs, _ = items.take(indices, generator)
        if trainer.net.config.prompts:
            inputs, masks = clicked(images, masks, indices)
        loss, probabilities = trainer.validate(inputs, masks)
        total += loss * len(indices)
        labels = to_labels(probabilities, trainer.head)
        found, truth = labels.cpu().numpy(), masks.numpy()
        reviewed = (masks != IGNORE_INDEX).any(-1).any(-1)
        expected += _expected(probabilities, labels, masks)[reviewed].tolist()
        true += slice_dice(found, truth)[reviewed.numpy()].tolist()
        counted = reviewed.reshape(len(indices), -1).sum(1).tolist()
        for index, number in zip(indices, counted, strict=True):
            owners += [items.owner(int(index))] * number
        for place, index in enumerate(indices):
            owner = items.owner(int(index))
            for value in range(1, classes + 1):
                key = (owner, value)
                counts[key] = counts[key] + count(found[place], truth[place], value)
            image = images[place, 0].numpy()
            candidate = _preview_slice(owner, image, truth[place], found[place])
            if preview is None or candidate.labelled > preview.labelled:
                preview = candidate
    return _ProcessResult(dict(counts), total, preview, expected, true, owners)


def _expected(
    probabilities: torch.Tensor, labels: torch.Tensor, masks: torch.Tensor
) -> torch.Tensor:
    """Expected Dice of each slice without its unreviewed pixels, on the CPU."""
    reviewed = (masks != IGNORE_INDEX).to(labels.device)
    return expected_dice(probabilities * reviewed.unsqueeze(1), labels * reviewed).cpu()


def _preview_slice(owner: int, image: Array, truth: Array, labels: Array) -> PreviewSlice:
    """Return an item as a slice; of a patch of a volume, the slice with most labelled pixels."""
    labelled = (truth > 0) & (truth != IGNORE_INDEX)
    if truth.ndim == 3:
        best = int(np.argmax(np.count_nonzero(labelled, axis=(1, 2))))
        image, truth, labels, labelled = image[best], truth[best], labels[best], labelled[best]
    grey = (image * 255).round().astype(np.uint8)
    return PreviewSlice(owner, int(np.count_nonzero(labelled)), grey, truth, labels)
