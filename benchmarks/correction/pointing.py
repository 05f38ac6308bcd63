"""What an annotator could do next with the tools of the window.

Point: a click into the middle of each of the three largest errors, off by a normal deviate of two
pixels; a stroke along a part of the largest one, as a whole off by as much; a box around the
lesion, its sides off by a twentieth and a pixel; a box outside, which takes away a part that lies
apart. The outline is on screen before a click, and so the annotator knows what it brings. The brush
is taken when its best stroke brings more than any prompt does, for the last pixels mostly.

The other tools: a line along the true border, where that mends most; the threshold, moved to the
best of nine places; one click to grow or shrink by a pixel, to smooth, to fill holes, or to keep
the largest part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from benchmarks.correction.annotator import BOX, CLICK, MARGIN, STROKE, Present, Step, by_brush
from benchmarks.correction.strokes import STEP, dice, lines, trembling
from napari_unet_seg.correct import shapes
from napari_unet_seg.correct.border import redraw_border
from napari_unet_seg.correct.prompt_marks import Prompt, marks_of
from napari_unet_seg.correct.prompts import Marks, ellipse_in, follow_prompt, outline_in
from napari_unet_seg.data.prompts.marks import (
    NEGATIVE,
    POSITIVE,
    TREMOR,
    box_around,
    largest_error,
    largest_part,
    middle,
    no_prompts,
    scribble,
)
from napari_unet_seg.data.prompts.marks import trembling as hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.correction.annotator import Choices
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.prompts import Find

    Hand = np.random.Generator

ERRORS = 3
"""Errors that a click is considered for."""
LEVELS = np.linspace(0.1, 0.9, 9)


def by_point(find: Find, truth: Array) -> Choices:
    """Prompts of the tool Point, and the brush."""
    brushed = by_brush(truth, MARGIN)

    def choices(present: Present, hand: Hand) -> Iterator[Step]:
        for channel, error in largest_errors(present.mask, truth):
            marks = clicked(channel, error, hand)
            yield Step("click", followed(find, present, marks), CLICK)
        marks = scribbled(*largest_error(present.mask, truth), hand)
        yield Step("scribble", followed(find, present, marks, scribbled=True), STROKE)
        if truth.any():
            yield Step("box", boxed(find, present, box_around(largest_part(truth), hand)), BOX)
        if present.mask.any():
            yield Step("box outside", _without(present, truth), BOX)
        yield from brushed(present, hand)

    return choices


def _without(present: Present, truth: Array) -> Present:
    """What is there after a box outside around the largest part that lies apart from the lesion."""
    parts, _ = ndimage.label(present.mask)
    apart = largest_part(present.mask & ~np.isin(parts, np.unique(parts[truth & present.mask])))
    window = shapes.box_of(apart, 2)
    mask = present.mask.copy()
    if window is not None and not (truth & mask)[window].any():
        mask[window] = False
    return present._replace(mask=mask)


def by_tools(find: Find, truth: Array, probable: Array) -> Choices:
    """Point, the brush, and the tools under *More*."""
    pointed = by_point(find, truth)

    def choices(present: Present, hand: Hand) -> Iterator[Step]:
        yield from pointed(present, hand)
        yield from _redrawn(present, truth, hand)
        mask = present.mask
        for name, changed in (
            *(("threshold", probable >= level) for level in LEVELS),
            ("grow", shapes.grow(mask, 1)),
            ("shrink", shapes.shrink(mask, 1)),
            ("smooth", shapes.smooth(mask, 3)),
            ("fill holes", shapes.fill_holes(mask)),
            ("keep largest", shapes.keep_largest(mask)),
        ):
            yield Step(name, present._replace(mask=changed), CLICK)

    return choices


def _redrawn(present: Present, truth: Array, hand: Hand) -> Iterator[Step]:
    def worth(line: Array) -> float:
        return dice(redraw_border(present.mask, line), truth)

    line = max(lines(truth), key=worth)
    mask = redraw_border(present.mask, trembling(line, hand))
    yield Step("border", present._replace(mask=mask), STROKE, STEP * len(line))


def largest_errors(mask: Array, truth: Array) -> list[tuple[int, Array]]:
    """The largest connected errors, and the channel of the prompt for each."""
    found = []
    for channel, wrong in ((POSITIVE, truth & ~mask), (NEGATIVE, mask & ~truth)):
        parts, _ = ndimage.label(wrong)
        sizes = np.bincount(parts.ravel())[1:]
        order = np.argsort(-sizes, kind="stable")[:ERRORS]
        found += [(int(sizes[n]), channel, parts == n + 1) for n in order]
    found.sort(key=lambda each: -each[0])
    return [(channel, error) for _, channel, error in found[:ERRORS]]


def clicked(channel: int, error: Array, hand: Hand, tremor: float = TREMOR) -> Marks:
    """A click that was meant for the middle of an error."""
    row, column = np.clip(hit(middle(error), hand, tremor), 0, np.array(error.shape) - 1)
    prompt = Prompt("click", channel == POSITIVE, ((float(row), float(column)),))
    return marks_of((prompt,), error.shape)


def scribbled(channel: int, error: Array, hand: Hand, tremor: float = TREMOR) -> Marks:
    """A stroke along a part of the middle of an error."""
    maps = no_prompts(error.shape)
    scribble(maps, channel, error, hand)
    by = np.rint(hand.normal(0, 1, 2) * tremor).astype(int)
    stroke = ndimage.shift(maps[channel], by, order=0) > 0
    nothing = np.zeros_like(stroke)
    return Marks(*((stroke, nothing) if channel == POSITIVE else (nothing, stroke)), nothing)


def followed(find: Find, present: Present, marks: Marks, *, scribbled: bool = False) -> Present:
    """What is there after a click or a stroke, as the tool Point makes it."""
    taken = np.zeros_like(present.mask)
    mask = follow_prompt(find, present.mask, taken, marks, present.marks, scribbled=scribbled)
    return Present(mask, marks if present.marks is None else marks.joined(present.marks))


def boxed(find: Find, present: Present, area: Array) -> Present:
    """What is there after a box, as the tool Point makes it."""
    found = outline_in(find, present.mask, area, ellipse_in(area))
    marks = Marks.none(area.shape)._replace(area=area)
    joined = marks if present.marks is None else marks.joined(present.marks)
    return Present((present.mask & ~area) | found, joined)
