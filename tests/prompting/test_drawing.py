"""Marks of a file of prompts, as the network sees them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.correct.prompt_marks import Prompt, marks_of
from napari_unet_seg.data.prompts.marks import BOX, NEGATIVE, POSITIVE, PREVIOUS
from napari_unet_seg.inference.prompted.window import marks as seen
from napari_unet_seg.io.prompts.placing import SliceMarks
from napari_unet_seg.prompting.drawing import drawn


def test_marks_are_drawn_where_they_are() -> None:
    marks = SliceMarks(
        points=[(10.4, 20.0)],
        outside_points=[(30.0, 5.0)],
        strokes=[[(20.0, 10.0), (20.0, 30.0)]],
        outside_strokes=[[(15.0, 12.0), (25.0, 12.0)]],
        boxes=[((40.0, 35.0), (35.0, 30.2))],
    )
    maps = drawn(marks, (256, 200), 256)
    assert maps[POSITIVE, 10, 20] and maps[POSITIVE, 19:22, 10:31].all()
    assert maps[NEGATIVE, 30, 5] and maps[NEGATIVE, 15:18, 11:14].all()
    assert not (maps[POSITIVE] & maps[NEGATIVE]).any()
    assert maps[BOX].sum() == 6 * 6 and maps[BOX, 35:41, 30:36].all()


@pytest.mark.parametrize("side", [48, 64, 100, 128, 256])
def test_the_network_sees_marks_as_large_as_in_training(side: int) -> None:
    half, quarter = side // 2, side // 4
    marks = SliceMarks([(half, half)], outside_strokes=[[(quarter, quarter), (quarter, half)]])
    inside, outside, _ = seen(drawn(marks, (side, side), 256)[:PREVIOUS], (256, 256))
    assert 9 <= inside.sum() <= 50
    assert 2.5 <= outside.sum() / 64 <= 7.5, "about three pixels wide, and 64 long"


def test_a_mark_on_the_edge_of_the_last_pixel_lies_in_it() -> None:
    assert drawn(SliceMarks([(63.5, 63.5)]), (64, 64), 256)[POSITIVE, 63, 63]


def test_the_tool_draws_alike() -> None:
    plane, spot = (90, 120), (40.0, 30.0)
    tool = marks_of([Prompt("click", True, (spot,))], plane)
    np.testing.assert_array_equal(drawn(SliceMarks([spot]), plane, 256)[:PREVIOUS], np.stack(tool))
