"""Training and validation batches with simulated prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.arrays import Array
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.prompts.marks import (
    NEGATIVE,
    POSITIVE,
    Rng,
    click,
    corrected,
    first_prompts,
    middle,
    no_prompts,
)
from napari_unet_seg.data.prompts.neighbours import beside_simulated, carried_maps
from napari_unet_seg.data.prompts.prior_masks import nearly
from napari_unet_seg.data.prompts.superpixels import superpixel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

Answer = Callable[[torch.Tensor], Array]
"""Maps inputs (B, C + 4, …) to the present network's masks (B, …), bool."""

ROUNDS = (0.4, 0.25, 0.2, 0.15)
"""Probabilities of 0, 1, 2 and 3 corrected predictions before the training step."""
_PRIOR = 0.25
"""Share of the samples that start from a nearly correct mask."""
_PIECES = 0.06
"""Share of the slices with a superpixel as the target. The packaged network has learnt from as many
on real slices: it follows prompts for anything, and a click into a lesion still means all of it."""
_CARRIED = 0.2
"""Share of the slices that start from the mask of a slice beside, as Carry does. The packaged
network has learnt from about as many, and first prompts stay the most frequent start."""
_UNIONS = 0.1
"""Share of the targets of two or three categories, where there are several: the exception, and each
of them gets prompts, since a click into one alone means that one."""


def prompted(
    images: torch.Tensor, masks: torch.Tensor, beside: torch.Tensor, answer: Answer, rng: Rng
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose a target on each sample, prompt for it, and correct the network's predictions.

    The target is a category or a union of some; of slices also a superpixel, or the object that the
    slice beside holds.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, …).
    masks : Tensor
        uint8 labels of shape (B, …).
    beside : Tensor
        Those of the slices beside, of the same shape; 0 where they are not known.
    answer : callable
        The present network.
    rng : Generator
        Source of randomness of targets, prompts and number of rounds.

    Returns
    -------
    inputs : Tensor
        Images and maps, of shape (B, C + 4, …).
    targets : Tensor
        uint8 of shape (B, …): 1 for the target; unreviewed pixels stay 255.
    """
    samples = zip(images.numpy(), masks.numpy(), beside.numpy(), strict=True)
    targets, maps = (
        np.stack(each) for each in zip(*(_task(*s, rng) for s in samples), strict=True)
    )
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


def _task(image: Array, mask: Array, beside: Array, rng: Rng) -> tuple[Array, Array]:
    """Return a target of a sample, and maps of the first round."""
    chance, task = rng.random(), None
    if mask.ndim == 2:  # a superpixel of a volume would take a second, and nothing is carried
        if chance < _PIECES:
            task = _piece(_grey(image, rng), mask, rng)
        elif chance < _PIECES + _CARRIED:
            task = _carried(_grey(image, rng), mask, beside, rng)
    if task is not None:
        return task
    values = _chosen(mask, rng)
    target = _meant(mask, values)
    return target, _starting(target == 1, [mask == value for value in values], rng)


def _grey(image: Array, rng: Rng) -> Array:
    """Return a random channel of a slice as uint8."""
    return np.asarray(image[rng.integers(len(image))] * 255).round().astype(np.uint8)


def _piece(grey: Array, mask: Array, rng: Rng) -> tuple[Array, Array] | None:
    """Return a superpixel as a target; None if it is black or takes a part of a category."""
    piece = superpixel(grey, rng)
    if not piece.any() or mask[piece].any():  # a click into a category means all of it
        return None
    return _marked(piece, mask), first_prompts(piece, rng)


def _carried(grey: Array, mask: Array, beside: Array, rng: Rng) -> tuple[Array, Array] | None:
    """Return what a category of the slice beside is on this slice; None if neither has any."""
    known = np.flatnonzero(_sizes(beside))
    if len(known):
        value = rng.choice(known)
        target, other = _meant(mask, value), beside == value
    else:
        target = _meant(mask, _chosen(mask, rng)[:1])
        if not (target == 1).any():
            return None
        other, stays = beside_simulated(grey, target == 1, rng)
        target = target if stays else _meant(mask, 0)
    return target, carried_maps(other, target == 1, rng)


def _chosen(mask: Array, rng: Rng) -> Array:
    """Draw a category of the sample, or some for a union; return their values, empty if none."""
    present = np.flatnonzero(_sizes(mask))
    count = rng.integers(2, 4) if len(present) > 1 and rng.random() < _UNIONS else 1
    return rng.choice(present, min(count, len(present)), replace=False)


def _in_turn(mask: Array, number: int) -> int:
    """Return the label value of the category whose turn it is; 0 without any."""
    present = np.flatnonzero(_sizes(mask))
    return int(present[number % len(present)]) if len(present) else 0


def _sizes(mask: Array) -> Array:
    """Count the pixels of each label value below `IGNORE_INDEX`, without background."""
    sizes = np.bincount(mask.ravel(), minlength=IGNORE_INDEX)[:IGNORE_INDEX]
    sizes[0] = 0
    return np.asarray(sizes)


def _meant(mask: Array, values: npt.ArrayLike) -> Array:
    """Return 1 where a mask has one of some values but 0, else 0; unreviewed pixels stay 255."""
    return _marked(np.isin(mask, values) & (mask > 0), mask)


def _marked(meant: Array, mask: Array) -> Array:
    """Return 1 where something is meant, else 0; unreviewed pixels of the mask stay 255."""
    return np.where(mask == IGNORE_INDEX, mask, meant.astype(np.uint8))


def _starting(target: Array, parts: Sequence[Array], rng: Rng) -> Array:
    """Return maps with first prompts for each part, or a nearly correct mask and its correction."""
    maps = no_prompts(target.shape)
    if rng.random() < _PRIOR:
        return corrected(maps, nearly(target, rng), target, rng)
    for part in parts:
        maps |= first_prompts(part, rng)
    maps[NEGATIVE] &= ~target  # one part may lie beside another
    return maps
