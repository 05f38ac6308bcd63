"""A robot that clicks with a tremor of the hand, and how well it is understood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_unet_seg.arrays import Array
from napari_unet_seg.data.prompts.marks import (
    BOX,
    POSITIVE,
    PREVIOUS,
    box_around,
    click,
    largest_error,
    middle,
    no_prompts,
    trembling,
)

Answer = Callable[[Array, Array], Array]
"""From an image (Y, X) and maps (4, Y, X) to a mask (Y, X)."""


LEAST = 10
"""Pixels of a mask that is carried on."""


def dice(found: Array, truth: Array) -> float:
    """Dice of two masks, of which the truth is not empty."""
    both = np.count_nonzero(found & truth)
    return float(2 * both / (np.count_nonzero(found) + np.count_nonzero(truth)))


def clicked(
    answer: Answer,
    image: Array,
    truth: Array,
    rng: np.random.Generator,
    clicks: int,
) -> list[float]:
    """Dice after each click into the middle of the largest error."""
    maps = no_prompts(truth.shape)
    scores = []
    for _ in range(clicks):
        channel, error = largest_error(maps[PREVIOUS], truth)
        if error.any():
            click(maps, channel, trembling(middle(error), rng))
            maps[PREVIOUS] = answer(image, maps)
        scores.append(dice(maps[PREVIOUS], truth))
    return scores


def carried(answer: Answer, images: Array, truth: Array, rng: np.random.Generator) -> Array:
    """A click on the largest slice, carried both ways by the mask of the slice before.

    It ends by itself where next to nothing is found. Images and truth are (Z, Y, X).
    """
    start = int(truth.sum((1, 2)).argmax())
    maps = no_prompts(truth.shape[1:])
    click(maps, POSITIVE, trembling(middle(truth[start]), rng))
    found = np.zeros(truth.shape, bool)
    found[start] = answer(images[start], maps)
    for step in (1, -1):
        index = start + step
        while 0 <= index < len(truth) and np.count_nonzero(found[index - step]) >= LEAST:
            maps = no_prompts(truth.shape[1:])
            maps[PREVIOUS] = found[index - step]
            found[index] = answer(images[index], maps)
            index += step
    return found


def boxed(answer: Answer, image: Array, truth: Array, rng: np.random.Generator) -> float:
    """Dice after one box, drawn as carelessly as people do."""
    maps = no_prompts(truth.shape)
    maps[BOX] = box_around(truth, rng)
    return dice(answer(image, maps), truth)
