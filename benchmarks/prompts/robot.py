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


def carried(
    probable: Carrying, answer: Answer, case: Pair, rng: np.random.Generator, count: int
) -> Array:
    """Clicks on some slices of a volume, one each, carried through the lesion.

    One click is on the largest slice; of three, the others are on the slices that halve the lesion
    above and below it. Images and truth are (Z, Y, X).
    """
    images, truth = case
    given = {}
    for index in chosen_slices(truth, count):
        maps = no_prompts(truth.shape[1:])
        click(maps, POSITIVE, trembling(middle(truth[index]), rng))
        given[index] = answer(images[index], maps)
    found = np.zeros(truth.shape, bool)
    for index, mask in given.items():
        found[index] = mask

    def beside(index: int, lasso: Array) -> Array:
        return probable(images[index], lasso)

    for each in carry(beside, images.__getitem__, given, range(len(truth))):
        found[each.index] = each.mask
    return found


def chosen_slices(truth: Array, count: int) -> list[int]:
    """The slices of a volume that are clicked on: the largest, and those that halve the rest."""
    sizes = truth.sum((1, 2))
    largest, ill = int(sizes.argmax()), np.flatnonzero(sizes >= LEAST)
    chosen = {largest}
    if count > 1:
        chosen |= {int(largest + ill[0]) // 2, int(largest + ill[-1]) // 2}
    return sorted(i for i in chosen if truth[i].any())


def boxed(answer: Answer, image: Array, truth: Array, rng: np.random.Generator) -> float:
    """Dice after one box, drawn as carelessly as people do."""
    maps = no_prompts(truth.shape)
    maps[BOX] = box_around(truth, rng)
    return dice(answer(image, maps), truth)
