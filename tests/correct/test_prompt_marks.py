"""The pixels that prompts cover on a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.correct.prompt_marks import (
    Prompt,
    covered_by,
    disc_radius,
    drawn_pixels,
    likely_object,
    marks_of,
)
from napari_unet_seg.data.prompts.marks import POSITIVE, click, no_prompts

if TYPE_CHECKING:
    from napari_unet_seg.correct.prompt_marks import PromptKind

SHAPE = (200, 256)


def test_a_click_is_a_disc() -> None:
    covered = covered_by(Prompt("click", True, ((50.2, 60.4),)), SHAPE)
    assert covered[50, 60]
    maps = no_prompts(SHAPE)
    click(maps, POSITIVE, np.array((50.2, 60.4)))
    np.testing.assert_array_equal(covered, maps[POSITIVE], "as in training")
    np.testing.assert_array_equal(covered, drawn_pixels(Prompt("click", True, ((50, 60),)), SHAPE))


@pytest.mark.parametrize(("side", "radius"), [(64, 0.56), (256, 2.24), (320, 2.24), (640, 3.25)])
def test_a_click_has_one_size_for_the_network(side: int, radius: float) -> None:
    assert disc_radius((side // 2, side)) == pytest.approx(radius, abs=0.01)


def test_a_stroke_is_a_line_without_gaps() -> None:
    covered = covered_by(Prompt("scribble", True, ((20, 30), (20, 90), (60, 90))), SHAPE)
    assert covered[20, 30:91].all()
    assert covered[20:61, 90].all()
    assert covered[19, 40]
    assert not covered[18, 40]
    assert not covered[40, 60]


def test_corners_of_a_box_come_in_any_order() -> None:
    covered = covered_by(Prompt("box", True, ((40.4, 90.6), (20.0, 30.0))), SHAPE)
    assert covered.sum() == 21 * 62
    frame = drawn_pixels(Prompt("box", True, ((20, 30), (40, 91))), SHAPE)
    assert frame[20, 30:92].all()
    assert not frame[30, 60]


def test_a_lasso_closes_by_itself() -> None:
    lasso = Prompt("lasso", True, ((20, 30), (20, 90), (80, 60)))
    covered = covered_by(lasso, SHAPE)
    assert covered[40, 60]
    assert not covered[60, 35]
    np.testing.assert_array_equal(likely_object(lasso, SHAPE), covered)
    assert likely_object(Prompt("box", True, ((20, 30), (40, 91))), SHAPE).sum() < 21 * 62


@pytest.mark.parametrize("kind", ["click", "scribble", "box", "lasso"])
def test_prompts_beyond_the_plane_are_cut_off(kind: PromptKind) -> None:
    points = ((-20.0, 10.0), (20.0, 300.0), (-5.0, 300.0))
    count = {"click": 1, "box": 2}.get(kind, 3)
    assert covered_by(Prompt(kind, True, points[:count]), SHAPE).shape == SHAPE


def test_of_contradicting_prompts_the_last_counts() -> None:
    inside, outside = (Prompt("click", sign, ((50, 60),)) for sign in (True, False))
    marks = marks_of((inside, outside), SHAPE)
    assert marks.outside[50, 60]
    assert not marks.inside.any()
    box = Prompt("box", False, ((20, 30), (40, 91)))
    assert not any(mark.any() for mark in marks_of((box,), SHAPE)), "it was done at once"
