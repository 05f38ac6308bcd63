"""What rough marks make of labels; knows nothing of layers, and may take its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.change import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from napari_unet_seg._napari.segment.probabilities import Likely, Source
    from napari_unet_seg.correct.tools import Operation, Position, ToolSettings

Array = np.ndarray[Any, np.dtype[Any]]
Box = tuple[int, int, int, int]


def outlining(
    source: Source, likely: Likely, place: Position, box: Box
) -> Generator[tuple[Array, bool], Any, None]:
    """Outline what a box of a slice encloses; yields the mask, and whether a model helped."""
    from napari_unet_seg.correct.outline import outline_in_box

    probability = likely.of(source, place)
    yield outline_in_box(source.grey(place), probability, box), bool(probability.any())


def replace_in_box(aim: ToolSettings, outline: Array, box: Box) -> Operation:
    """Let the category be in a box what its outline is."""
    part = np.s_[box[0] : box[2], box[1] : box[3]]

    def work(labels: Array, _: Position) -> Change:
        mask = labels == aim.value
        mask[part] = outline[part]
        return aim.change(labels, mask)

    return work


def redrawing(aim: ToolSettings, labels: Array, path: Array) -> Generator[Change, Any, None]:
    """Let the border of the category in a slice follow a path; yields what changes."""
    from napari_unet_seg.correct.border import redraw_border

    yield aim.change(labels, redraw_border(labels == aim.value, path))


def outline_parts(aim: ToolSettings, source: Source, likely: Likely) -> Operation:
    """Take each part of the category in a slice for a box around what it should be."""

    def work(labels: Array, place: Position) -> Change:
        from scipy.ndimage import find_objects, label

        from napari_unet_seg.correct.outline import outline_in_box

        boxes = find_objects(label(labels == aim.value)[0])
        drawn = np.zeros(labels.shape, bool)
        if boxes:
            image, probability = source.grey(place), likely.of(source, place)
            for rows, columns in boxes:
                box = (rows.start, columns.start, rows.stop, columns.stop)
                drawn |= outline_in_box(image, probability, box)
        return aim.change(labels, drawn)

    return work


def solving(
    aim: ToolSettings,
    source: Source,
    place: Position,
    probability: Array | None,
    labels: Array,
    inside: Array,
    outside: Array,
) -> Generator[Change, Any, None]:
    """Solve a slice again around its strokes; yields what changes."""
    from napari_unet_seg.correct.scribble import solve_scribbles

    window, solved = solve_scribbles(
        source.grey(place), probability, labels, inside, outside, value=aim.value
    )
    after = labels.copy()
    after[window] = solved
    yield _allowed(labels, after, aim.locked)


def _allowed(before: Array, after: Array, locked: Collection[int]) -> Change:
    """Return what changes, but for what is locked and what nobody has reviewed."""
    indices = np.nonzero((before != after) & ~np.isin(before, [*locked, IGNORE_INDEX]))
    return Change(indices, after[indices])
