"""What a network answers to prompts, turned into changes of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.correct.prompts import (
    Marks,
    follow_prompt,
    merge,
    outline_in,
    outline_in_box,
)

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Y, X = np.mgrid[:100, :120]


def disc(y: float, x: float, radius: float) -> Array:
    inside: Array = np.hypot(Y - y, X - x) <= radius
    return inside


NONE = np.zeros(Y.shape, bool)
LESION, SECOND = disc(50, 40, 15), disc(50, 95, 10)
SMALL = disc(50, 40, 8)


def click(y: int, x: int) -> Array:
    return disc(y, x, 2)


def follow(
    answer: Array,
    present: Array = NONE,
    inside: Array = NONE,
    outside: Array = NONE,
    taken: Array = NONE,
    older: Marks | None = None,
    *,
    scribbled: bool = False,
) -> Array:
    """Follow a prompt by a network that always answers the same."""
    new = Marks(inside, outside, NONE)
    return follow_prompt(lambda *_: answer, present, taken, new, older, scribbled=scribbled)


def test_a_click_inside_takes_the_object_and_no_other() -> None:
    np.testing.assert_array_equal(follow(LESION | SECOND, inside=click(50, 40)), LESION)


def test_a_click_outside_removes_and_adds_nothing() -> None:
    too_much = LESION | SECOND
    after = follow(LESION | disc(20, 95, 6), too_much, outside=click(50, 95))
    np.testing.assert_array_equal(after, LESION)


def test_what_is_away_from_the_prompt_does_not_move() -> None:
    own = disc(20, 100, 6)
    after = follow(LESION | SECOND, SMALL | own, inside=click(50, 52))
    np.testing.assert_array_equal(after, LESION | own)


def test_a_prompt_inside_moves_the_border_where_it_touches() -> None:
    """The answer is shifted: beside the click the mask loses what the answer does not have."""
    shifted = disc(50, 44, 15)
    after = follow(shifted, LESION, inside=click(50, 27))
    assert not (after & ~shifted & ~click(50, 27) & (X < 40)).any()
    assert (after == LESION)[:, 50:].all(), "the other side has its border"


def test_a_click_in_the_middle_of_the_mask_grows_its_object() -> None:
    after = follow(LESION | SECOND, SMALL, inside=click(50, 40))
    np.testing.assert_array_equal(after, LESION)
    same = follow(SMALL, LESION, inside=click(50, 40))
    np.testing.assert_array_equal(same, LESION)


def test_marked_pixels_are_as_marked_whatever_the_network_says() -> None:
    stroke = (abs(Y - 50) < 2) & (X > 40) & (X < 70)
    assert follow(NONE, SMALL, inside=stroke)[stroke].all()
    assert not follow(LESION | stroke, LESION, outside=stroke)[stroke].any()


def test_taken_pixels_stay_with_their_category() -> None:
    taken = X > 45
    after = follow(LESION, SMALL & ~taken, inside=click(50, 46), taken=taken)
    assert not after[taken].any()


def test_older_prompts_near_the_new_one_still_hold() -> None:
    bay = click(50, 48)
    older = Marks(click(50, 95), bay, NONE)
    seen = []

    def find(maps: Array, previous: Array) -> Array:
        seen.append((maps, previous))
        return LESION

    after = follow_prompt(find, SECOND, NONE, Marks(click(50, 40), NONE, NONE), older)
    np.testing.assert_array_equal(after, (LESION & ~bay) | SECOND)
    (maps, previous), *_ = seen
    assert (maps[1] == bay).all()
    np.testing.assert_array_equal(maps[0], click(50, 40))
    assert not previous.any(), "the other object is too far away to be seen"


def test_the_newer_of_contradicting_prompts_counts() -> None:
    older = Marks(NONE, click(50, 40), NONE)
    after = follow(LESION, inside=click(50, 40), older=older)
    assert after[50, 40]


def test_no_prompt_changes_nothing() -> None:
    np.testing.assert_array_equal(follow(SECOND, LESION), LESION)
    np.testing.assert_array_equal(merge(NONE, NONE, NONE, NONE), NONE)


@pytest.mark.parametrize("edge", [(0, 0), (99, 119), (0, 119)])
def test_prompts_on_the_edge_of_the_plane(edge: tuple[int, int]) -> None:
    answer = disc(*edge, 10)
    np.testing.assert_array_equal(follow(answer, inside=click(*edge)), answer)


def test_a_box_holds_one_object_without_holes() -> None:
    ring = LESION & ~disc(50, 40, 4)
    found = outline_in_box(lambda *_: ring | SECOND | disc(60, 60, 2), NONE, (30, 20, 75, 70))
    np.testing.assert_array_equal(found, LESION)


def test_a_box_asks_with_what_is_known_in_it() -> None:
    seen = []

    def find(maps: Array, previous: Array) -> Array:
        seen.append((maps, previous))
        return LESION

    outline_in_box(find, SMALL | SECOND, (30, 20, 75, 70))
    (maps, previous), *_ = seen
    assert maps[2].sum() == 45 * 50
    np.testing.assert_array_equal(previous, SMALL)


def test_an_area_in_which_nothing_is_found_still_holds_something() -> None:
    ellipse = outline_in_box(lambda *_: NONE, NONE, (30, 20, 71, 81))
    assert (ellipse[50, 20:81]).all()
    assert not ellipse[30, 20]
    assert ellipse.sum() == pytest.approx(np.pi / 4 * 41 * 61, rel=0.03)
    lasso = disc(40, 40, 9)
    np.testing.assert_array_equal(outline_in(lambda *_: ~lasso, NONE, lasso, lasso), lasso)


@pytest.mark.parametrize(
    ("box", "pixels"),
    [((5, 6, 6, 7), 1), ((99, 119, 300, 300), 1), ((5, 6, 5, 20), 0), ((-9, -9, 0, 0), 0)],
)
def test_boxes_of_a_pixel_or_none(box: tuple[int, int, int, int], pixels: int) -> None:
    assert outline_in_box(lambda *_: NONE, NONE, box).sum() == pixels


def test_a_scribble_inside_adds_no_more_than_its_distance_from_the_border() -> None:
    scribble = (abs(Y - 50) <= 8) & (X == 54)
    after = follow(disc(50, 48, 30), SMALL, scribble, scribbled=True)
    assert after[50, 56] and not after[50, 66] and not after[50, 25]
    assert follow(disc(50, 48, 30), SMALL, scribble)[50, 66]


def test_a_scribble_outside_removes_no_more_than_its_distance_from_the_border() -> None:
    scribble = (abs(Y - 50) <= 6) & (X == 52)
    after = follow(NONE, LESION, outside=scribble, scribbled=True)
    assert not after[50, 54] and after[50, 40]


def test_a_scribble_on_an_empty_plane_or_within_the_object_has_no_limit() -> None:
    scribble = (abs(Y - 50) <= 3) & (X == 40)
    np.testing.assert_array_equal(follow(LESION, inside=scribble, scribbled=True), LESION)
    np.testing.assert_array_equal(follow(LESION, SMALL, scribble, scribbled=True), LESION)
