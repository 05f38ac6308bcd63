"""Borders that are drawn again."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.correct.border import redraw_border

SHAPE = (64, 72)
CENTRE = (30, 36)
ROWS, COLUMNS = np.indices(SHAPE)


def disc(radius: float, centre: tuple[float, float] = CENTRE) -> np.ndarray:
    inside: np.ndarray = np.hypot(ROWS - centre[0], COLUMNS - centre[1]) <= radius
    return inside


def arc(
    radius: float, start: float, end: float, centre: tuple[float, float] = CENTRE
) -> np.ndarray:
    """Points along a circle, angles in degrees from the columns' axis towards the rows'."""
    angles = np.radians(np.linspace(start, end, 50))
    return np.stack(
        (centre[0] + radius * np.sin(angles), centre[1] + radius * np.cos(angles)), axis=1
    )


def sector(start: float, end: float) -> np.ndarray:
    angles = np.degrees(np.arctan2(ROWS - CENTRE[0], COLUMNS - CENTRE[1]))
    within: np.ndarray = (angles >= start) & (angles <= end)
    return within


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize("ends", [(0, 90), (90, 0), (-60, 60), (100, -40)])
@pytest.mark.parametrize("radius", [10, 18])
def test_the_stretch_between_the_ends_follows(ends: tuple[float, float], radius: float) -> None:
    before = disc(14)
    after = redraw_border(before, arc(radius, *ends))
    redrawn = sector(*sorted(ends))
    wanted = np.where(redrawn, disc(radius), before)
    assert dice(after, wanted) > 0.97
    far = ~sector(min(ends) - 30, max(ends) + 30)
    np.testing.assert_array_equal(after[far], before[far])


def test_one_path_adds_and_takes_away() -> None:
    before = disc(14)
    path = np.concatenate((arc(18, -70, -5), arc(10, 5, 70)))
    after = redraw_border(before, path)
    outer, inner = sector(-60, -15), sector(15, 60)
    assert dice(after & outer, disc(18) & outer) > 0.96
    assert dice(after & inner, disc(10) & inner) > 0.96


def test_the_border_of_a_hole_is_redrawn_too() -> None:
    before = disc(20) & ~disc(8)
    after = redraw_border(before, arc(11, 0, 120))
    wanted = before & ~(disc(11) & sector(0, 120))
    assert dice(after, wanted) > 0.98
    smaller = redraw_border(before, arc(5, 0, 120))
    assert dice(smaller, before | (sector(0, 120) & disc(8) & ~disc(5))) > 0.98


@pytest.mark.parametrize("radius", [9, 20])
def test_a_path_around_an_object_is_its_border(radius: float) -> None:
    after = redraw_border(disc(14), arc(radius, 0, 350))
    assert dice(after, disc(radius)) > 0.96


def test_a_path_around_nothing_is_a_new_object() -> None:
    before = disc(14)
    elsewhere = (52, 60)
    after = redraw_border(before, arc(6, 0, 350, elsewhere))
    assert dice(after, before | disc(6, elsewhere)) > 0.98
    assert dice(redraw_border(np.zeros(SHAPE, bool), arc(6, 0, 350)), disc(6)) > 0.95


def test_the_nearest_of_several_objects_is_changed() -> None:
    other = disc(5, (8, 64))
    after = redraw_border(disc(14) | other, arc(18, 30, 120))
    np.testing.assert_array_equal(after & other, other)
    assert dice(after, disc(14) | other | (disc(18) & sector(30, 120))) > 0.97


@pytest.mark.parametrize("neck", [3, 6, 8])
def test_a_lobe_is_no_object(neck: int) -> None:
    shape = (80, 120)
    rows, columns = np.indices(shape)
    lobes = [np.hypot(rows - 40, columns - x) <= 20 for x in (35, 80)]
    before = lobes[0] | lobes[1] | ((abs(rows - 40) <= neck) & (columns > 35) & (columns < 80))
    start = np.degrees(np.arcsin(neck / 21))
    after = redraw_border(before, arc(21, start, 360 - start, (40, 35)))
    np.testing.assert_array_equal(after[:, 62:], before[:, 62:])
    assert dice(after, before | (np.hypot(rows - 40, columns - 35) <= 21)) > 0.98


def test_a_path_may_leave_the_image() -> None:
    before = disc(12, (6, 36))
    after = redraw_border(before, np.array([(10.0, 22), (-40, 20), (-40, 60), (10, 50)]))
    assert after[:6, 23:48].all()
    assert not after[:, :18].any()


def test_the_tremor_of_a_hand_is_evened_out() -> None:
    tremor = np.random.default_rng(0).normal(0, 0.7, (50, 2))
    before, wanted = disc(14), np.where(sector(-80, 80), disc(17), disc(14))
    after = redraw_border(before, arc(17, -80, 80) + tremor)
    assert dice(after, wanted) > 0.97


def test_a_redrawn_border_stays_when_it_is_drawn_again() -> None:
    after = redraw_border(disc(14), arc(17, -80, 80))
    assert dice(redraw_border(after, arc(17, -80, 80)), after) > 0.99


@pytest.mark.parametrize("path", [[(30.0, 36.0)], [(30.0, 36.0)] * 5])
def test_a_click_changes_nothing(path: list[tuple[float, float]]) -> None:
    before = disc(14)
    after = redraw_border(before, np.array(path))
    np.testing.assert_array_equal(after, before)
    assert after is not before


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2)])
def test_tiny_images(shape: tuple[int, int]) -> None:
    path = np.array([(-3.0, -3), (-3, 20), (20, 20), (20, -3)])
    assert redraw_border(np.zeros(shape, bool), path).all()
    assert redraw_border(np.ones(shape, bool), path).all()
