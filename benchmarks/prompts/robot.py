"""A robot that clicks with a tremor of the hand, and how well it is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.data.prompts.marks import (
    BOX,
    PREVIOUS,
    box_around,
    click,
    largest_error,
    middle,
    no_prompts,
    trembling,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, np.dtype[Any]]


def dice(found: Array, truth: Array) -> float:
    """Dice of two masks, of which the truth is not empty."""
    both = np.count_nonzero(found & truth)
    return float(2 * both / (np.count_nonzero(found) + np.count_nonzero(truth)))


def clicked(
    answer: Callable[[Array, Array], Array],
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


def boxed(
    answer: Callable[[Array, Array], Array], image: Array, truth: Array, rng: np.random.Generator
) -> float:
    """Dice after one box, drawn as carelessly as people do."""
    maps = no_prompts(truth.shape)
    maps[BOX] = box_around(truth, rng)
    return dice(answer(image, maps), truth)
