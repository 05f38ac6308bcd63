"""Training and validation batches with simulated prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.arrays import Array
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.prompts.marks import (
    POSITIVE,
    Rng,
    click,
    corrected,
    first_prompts,
    middle,
    no_prompts,
)
from napari_unet_seg.data.prompts.prior_masks import nearly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Answer = Callable[[torch.Tensor], Array]
"""Maps inputs (B, C + 4, …) to the present network's masks (B, …), bool."""

ROUNDS = (0.4, 0.25, 0.2, 0.15)
"""Probabilities of 0, 1, 2 and 3 corrected predictions before the training step."""
_PRIOR = 0.25
"""Share of the samples that start from a nearly correct mask."""


def prompted(
    images: torch.Tensor, masks: torch.Tensor, answer: Answer, rng: Rng
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose a category of each sample, prompt for it, and correct the network's predictions.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, …).
    masks : Tensor
        uint8 labels of shape (B, …).
    answer : callable
        The present network.
    rng : Generator
        Source of randomness of targets, prompts and number of rounds.

    Returns
    -------
    inputs : Tensor
        Images and maps, of shape (B, C + 4, …).
    targets : Tensor
        uint8 of shape (B, …): 1 for the chosen category; unreviewed pixels stay 255.
    """
    targets = np.stack([_target(mask, rng) for mask in masks.numpy()])
    maps = np.stack([_starting(target == 1, rng) for target in targets])
    inputs, _ = after_rounds(images, targets, maps, answer, rng)
    return inputs, torch.from_numpy(targets)


def after_rounds(
    images: torch.Tensor, targets: Array, maps: Array, answer: Answer, rng: Rng
) -> tuple[torch.Tensor, list[tuple[Array, Array]]]:
    """Correct a random number of the network's predictions for each sample.

    Parameters
    ----------
    images, targets, answer, rng
        As `prompted` takes them.
    maps : array
        Maps of the first round, bool of shape (B, 4, …); changed in place.

    Returns
    -------
    inputs : Tensor
        Input of the training step, of shape (B, C + 4, …).
    answers : list of (array, array)
        For each previous round, the indices of the predicted samples, and their masks.
    """
    inputs, answers = with_maps(images, maps), []
    rounds = rng.choice(len(ROUNDS), len(maps), p=ROUNDS)
    for number in range(rounds.max()):
        asked = np.flatnonzero(rounds > number)
        answers.append((asked, answer(inputs[asked])))
        for place, found in zip(*answers[-1], strict=True):
            reviewed = targets[place] != IGNORE_INDEX
            maps[place] = corrected(maps[place], found & reviewed, targets[place] == 1, rng)
        inputs = with_maps(images, maps)
    return inputs, answers


def clicked(
    images: torch.Tensor, masks: torch.Tensor, numbers: Iterable[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs with one click into the centre of a category of each sample, and targets.

    The categories of a sample take turns by the number of the sample. The result does not depend
    on epoch and batch, for validation.
    """
    turns = zip(masks.numpy(), numbers, strict=True)
    targets = np.stack([_meant(mask, _in_turn(mask, number)) for mask, number in turns])
    maps = np.stack([click_maps(target == 1) for target in targets])
    return with_maps(images, maps), torch.from_numpy(targets)


def click_maps(target: Array, scale: float = 1.0) -> Array:
    """Return maps with one click into the centre of a target; without a click if it is empty.

    The image is `scale` times as large as those of training.
    """
    maps = no_prompts(target.shape)
    if target.any():
        click(maps, POSITIVE, middle(target), scale)
    return maps


def with_maps(images: torch.Tensor, maps: Array | Sequence[Array]) -> torch.Tensor:
    """Concatenate images (B, C, …) and maps (B, 4, …) to the network's input (B, C + 4, …)."""
    return torch.cat([images, torch.from_numpy(np.asarray(maps)).to(images)], 1)


def _target(mask: Array, rng: Rng) -> Array:
    """Return the target mask of a random category of the sample."""
    present = np.flatnonzero(_sizes(mask))
    return _meant(mask, int(rng.choice(present)) if len(present) else 0)


def _in_turn(mask: Array, number: int) -> int:
    """Return the label value of the category whose turn it is; 0 without any."""
    present = np.flatnonzero(_sizes(mask))
    return int(present[number % len(present)]) if len(present) else 0


def _sizes(mask: Array) -> Array:
    """Count the pixels of each label value below `IGNORE_INDEX`, without background."""
    sizes = np.bincount(mask.ravel(), minlength=IGNORE_INDEX)[:IGNORE_INDEX]
    sizes[0] = 0
    return np.asarray(sizes)


def _meant(mask: Array, value: int) -> Array:
    """Return 1 where a mask has a value other than 0, else 0; unreviewed pixels stay 255."""
    meant = ((mask == value) & (mask > 0)).astype(np.uint8)
    return np.where(mask == IGNORE_INDEX, mask, meant)


def _starting(target: Array, rng: Rng) -> Array:
    """Return maps with first prompts, or with a nearly correct mask and a prompt to correct it."""
    if rng.random() < _PRIOR:
        return corrected(no_prompts(target.shape), nearly(target, rng), target, rng)
    return first_prompts(target, rng)
