"""A robot that clicks with a tremor of the hand, and how well it is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from napari_unet_seg.prompting.carrying import LEAST, carry

Answer = Callable[[Array, Array], Array]
"""From an image (Y, X) and maps (4, Y, X) to a mask (Y, X)."""
Carrying = Callable[[Array, Array], Array]
"""From an image (Y, X) and a lasso (Y, X) to probabilities (Y, X)."""
Prompt = Callable[[Array, np.random.Generator], Array]
"""From a truth (Y, X) to the maps (4, Y, X) of a person's prompt."""
Pair = tuple[Array, Array]


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
    rounds = corrections(answer, image, truth, rng, clicks)
    return [dice(maps[PREVIOUS], truth) for maps in rounds]


def corrections(
    answer: Answer, image: Array, truth: Array, rng: np.random.Generator, clicks: int
) -> Iterator[Array]:
    """The clicks so far and the present mask, after each click; the maps are changed in place."""
    maps = no_prompts(truth.shape)
    for _ in range(clicks):
        channel, error = largest_error(maps[PREVIOUS], truth)
        if error.any():
            click(maps, channel, trembling(middle(error), rng))
            maps[PREVIOUS] = answer(image, maps)
        yield maps


def one_click(truth: Array, rng: np.random.Generator) -> Array:
    """Maps (4, Y, X) of a click into the middle of a mask (Y, X)."""
    maps = no_prompts(truth.shape)
    click(maps, POSITIVE, trembling(middle(truth), rng))
    return maps


def one_box(truth: Array, rng: np.random.Generator) -> Array:
    """Maps (4, Y, X) of a box around a mask (Y, X), drawn as carelessly as people do."""
    maps = no_prompts(truth.shape)
    maps[BOX] = box_around(truth, rng)
    return maps


def carried(
    probable: Carrying,
    answer: Answer,
    case: Pair,
    rng: np.random.Generator,
    count: int,
    prompt: Prompt = one_click,
) -> Array:
    """Prompts on some slices of a volume, one each, carried through the lesion.

    One prompt is on the largest slice; of three, the others are on the slices that halve the lesion
    above and below it. Images and truth are (Z, Y, X).
    """
    images, truth = case
    given = {
        index: answer(images[index], prompt(truth[index], rng))
        for index in chosen_slices(truth, count)
    }
    found = np.zeros(truth.shape, bool)
    for index, mask in given.items():
        found[index] = mask

    def beside(index: int, lasso: Array) -> Array:
        return probable(images[index], lasso)

    for each in carry(beside, images.__getitem__, given, range(len(truth))):
        found[each.index] = each.mask
    return found


def chosen_slices(truth: Array, count: int) -> list[int]:
    """The slices of a volume that get a prompt: the largest, and those that halve the rest."""
    sizes = truth.sum((1, 2))
    largest, ill = int(sizes.argmax()), np.flatnonzero(sizes >= LEAST)
    chosen = {largest}
    if count > 1:
        chosen |= {int(largest + ill[0]) // 2, int(largest + ill[-1]) // 2}
    return sorted(i for i in chosen if truth[i].any())


def boxed(answer: Answer, image: Array, truth: Array, rng: np.random.Generator) -> float:
    """Dice after one box."""
    return dice(answer(image, one_box(truth, rng)), truth)
