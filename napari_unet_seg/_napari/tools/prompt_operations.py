"""The changes of labels that prompts cause, as functions of arrays for a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.change import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from napari_unet_seg._napari.segment.probabilities import CategoryProbabilities, CategorySource
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.tools import Operation, ToolSettings
    from napari_unet_seg.io.common.places import Part

Box = tuple[int, int, int, int]


def outline_box(
    source: CategorySource, probabilities: CategoryProbabilities, place: Part, box: Box
) -> Generator[tuple[Array, bool], Any, None]:
    """Outline the object in a box on a slice; yield its mask, and whether a model was used."""
    from napari_unet_seg.correct.outline import outline_in_box

    probability = probabilities.compute(source, place)
    yield outline_in_box(source.grey(place), probability, box), bool(probability.any())


def replace_in_box(settings: ToolSettings, outline: Array, box: Box) -> Operation:
    """Return the operation that replaces the category in a box by an outlined mask."""
    part = np.s_[box[0] : box[2], box[1] : box[3]]

    def operation(labels: Array, _: Part) -> Change:
        mask = labels == settings.value
        mask[part] = outline[part]
        return settings.change(labels, mask)

    return operation


def follow_line(settings: ToolSettings, labels: Array, path: Array) -> Generator[Change, Any, None]:
    """Move the border of the category on a slice to a line; yield the change."""
    from napari_unet_seg.correct.border import redraw_border

    yield settings.change(labels, redraw_border(labels == settings.value, path))


def outline_parts(
    settings: ToolSettings, source: CategorySource, probabilities: CategoryProbabilities
) -> Operation:
    """Return the operation that treats each part of the category as a box to outline."""

    def operation(labels: Array, place: Part) -> Change:
        from scipy.ndimage import find_objects, label

        from napari_unet_seg.correct.outline import outline_in_box

        boxes = find_objects(label(labels == settings.value)[0])
        drawn = np.zeros(labels.shape, bool)
        if boxes:
            image, probability = source.grey(place), probabilities.compute(source, place)
            for rows, columns in boxes:
                box = (rows.start, columns.start, rows.stop, columns.stop)
                drawn |= outline_in_box(image, probability, box)
        return settings.change(labels, drawn)

    return operation


def solve_strokes(
    settings: ToolSettings,
    source: CategorySource,
    place: Part,
    probability: Array | None,
    labels: Array,
    inside: Array,
    outside: Array,
) -> Generator[Change, Any, None]:
    """Segment a slice again around its strokes; yield the change."""
    from napari_unet_seg.correct.scribble import solve_scribbles

    window, solved = solve_scribbles(
        source.grey(place), probability, labels, inside, outside, value=settings.value
    )
    after = labels.copy()
    after[window] = solved
    yield _unlocked_change(labels, after, settings.locked)


def _unlocked_change(before: Array, after: Array, locked: Collection[int]) -> Change:
    """Return the change without locked categories and unreviewed pixels."""
    indices = np.nonzero((before != after) & ~np.isin(before, [*locked, IGNORE_INDEX]))
    return Change(indices, after[indices])
