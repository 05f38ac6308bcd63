"""Marks of a slice, drawn as the maps that the prompt network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.correct.prompt_marks import Prompt, marks_of
from napari_unet_seg.data.prompts.marks import PREVIOUS, no_prompts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.prompt_marks import PromptKind
    from napari_unet_seg.io.prompts.placing import SliceMarks, Spot


def drawn(marks: SliceMarks, plane: tuple[int, ...], trained: int) -> Array:
    """Return the maps (4, Y, X) of marks on a slice, without a mask before.

    They are as large as those of the tool Point: the network sees every plane at the size of its
    training, which is `trained` pixels.
    """
    maps = no_prompts(plane)
    maps[:PREVIOUS] = marks_of(_prompts(marks, plane), plane, trained)
    return maps


def _prompts(marks: SliceMarks, plane: tuple[int, ...]) -> Iterator[Prompt]:
    """Yield the prompts of a slice; those inside come last, where they contradict others."""

    def prompt(kind: PromptKind, inside: bool, spots: Sequence[Spot]) -> Prompt:
        clipped = np.clip(spots, 0, np.array(plane) - 1)  # on the edge of the last pixel
        return Prompt(kind, inside, tuple((float(y), float(x)) for y, x in clipped))

    for corners in marks.boxes:
        yield prompt("box", True, corners)
    for inside, strokes, points in (
        (False, marks.outside_strokes, marks.outside_points),
        (True, marks.strokes, marks.points),
    ):
        for stroke in strokes:
            yield prompt("scribble", inside, stroke)
        for spot in points:
            yield prompt("click", inside, [spot])
