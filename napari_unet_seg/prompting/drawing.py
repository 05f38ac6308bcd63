"""Marks of a slice, drawn as the maps that the prompt network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation

from napari_unet_seg.data.prompts.marks import BOX, NEGATIVE, POSITIVE, click, no_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.prompts.placing import SliceMarks, Spot


def drawn(marks: SliceMarks, plane: tuple[int, ...]) -> Array:
    """Return the maps (4, Y, X) of marks on a slice, without a mask before."""
    maps = no_prompts(plane)
    for corners in marks.boxes:
        low, high = np.clip(np.rint(np.sort(corners, 0)).astype(int), 0, np.array(plane) - 1)
        maps[BOX, low[0] : high[0] + 1, low[1] : high[1] + 1] = True
    for channel, strokes, points in (
        (NEGATIVE, marks.outside_strokes, marks.outside_points),
        (POSITIVE, marks.strokes, marks.points),
    ):
        for stroke in strokes:
            maps[channel] |= _line(stroke, plane)
        for spot in points:
            click(maps, channel, np.array(spot))
    maps[NEGATIVE] &= ~maps[POSITIVE]
    return maps


def _line(stroke: Sequence[Spot], plane: tuple[int, ...]) -> Array:
    """Return a line three pixels wide through points."""
    line = np.zeros(plane, bool)
    spots = np.array(stroke, float)
    for one, other in zip(spots, [*spots[1:], spots[-1]], strict=True):
        steps = 1 + int(np.ceil(np.abs(other - one).max()))
        along = np.rint(np.linspace(one, other, steps + 1)).astype(int)
        line[tuple(np.clip(along, 0, np.array(plane) - 1).T)] = True
    return np.asarray(binary_dilation(line))
