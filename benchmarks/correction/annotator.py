"""A simulated annotator who always does next what brings the Dice up most for its cost.

Every use of a tool counts as a stroke, and to take another brush as one more. In seconds a click
costs `CLICK`, a stroke `STROKE`, a box `BOX`, and to go to another slice `SLICE`; a click is also
what it takes to choose a brush, to press a button or a key, and to undo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.correction.strokes import FIRST, GOOD, dice, painted, strokes
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.prompts import Marks

CLICK, STROKE, BOX, SLICE = 1.5, 3.0, 3.0, 1.0
MOST = 60
"""Uses after which a slice is given up."""
SEED = 0
MARGIN = 24
"""Pixels around mask and truth in which a brush is sought, where time matters."""


class Present(NamedTuple):
    """The mask of a slice, and the prompts that were given on it."""

    mask: Array
    marks: Marks | None = None


class Step(NamedTuple):
    """One thing to do: its name, what is there after it, its seconds, and the brush it needs."""

    tool: str
    after: Present
    seconds: float
    pixels: int = 0
    """Pixels painted over."""
    radius: int = 0


class Work(NamedTuple):
    """What was done on a slice."""

    mask: Array
    used: list[str]
    seconds: float
    pixels: int


Choices = Callable[[Present, np.random.Generator], Iterator[Step]]
"""All that could be done next."""


def by_brush(truth: Array, margin: int | None = None) -> Choices:
    """The best stroke of every brush; with a margin, sought around mask and truth alone."""

    def choices(present: Present, hand: np.random.Generator) -> Iterator[Step]:
        around = None if margin is None else box_of(present.mask | truth, margin)
        window = around or (slice(None), slice(None))
        for stroke in strokes(present.mask[window], truth[window], hand):
            mask = present.mask.copy()
            mask[window] = painted(mask[window], stroke)
            after = present._replace(mask=mask)
            yield Step("brush", after, STROKE, int(stroke.pixels.sum()), stroke.radius)

    return choices


def effort(
    mask: Array, truth: Array, choices: Choices, good: float = GOOD, *, hurried: bool = False
) -> Work:
    """Bring the mask of a slice to a Dice by what brings most for its uses, or for its seconds."""
    hand = np.random.default_rng(SEED)
    present, used, seconds, pixels, radius = Present(mask), [], 0.0, 0, FIRST
    while dice(present.mask, truth) < good and len(used) < MOST:
        wrong, now = np.count_nonzero(present.mask ^ truth), dice(present.mask, truth)

        def worth(step: Step, wrong: int = wrong, now: float = now, brush: int = radius) -> tuple:
            """Gain for the cost; by pixels where Dice tells nothing, as without a lesion."""
            another = step.radius not in (0, brush)
            cost = step.seconds + CLICK * another if hurried else 1 + another
            gain = dice(step.after.mask, truth) - now
            return gain / cost, (wrong - np.count_nonzero(step.after.mask ^ truth)) / cost

        step = max(choices(present, hand), key=worth)
        if step.radius not in (0, radius):
            radius, seconds = step.radius, seconds + CLICK
            used.append("another brush")
        present, pixels, seconds = step.after, pixels + step.pixels, seconds + step.seconds
        used.append(step.tool)
    return Work(present.mask, used, seconds, pixels)
