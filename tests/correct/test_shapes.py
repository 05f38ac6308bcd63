from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import ndimage

from napari_unet_seg.correct import shapes

if TYPE_CHECKING:
    from collections.abc import Callable

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def disc(radius: float, centre: tuple[float, ...] = (20, 20), size: int = 41) -> Mask:
    grid = np.indices((size,) * len(centre))
    away = [axis - middle for axis, middle in zip(grid, centre, strict=True)]
    return np.asarray(sum(a**2 for a in away) <= radius**2)


def parts(mask: Mask) -> int:
    return int(ndimage.label(mask, np.ones((3,) * mask.ndim))[1])


def ring() -> Mask:
    return disc(9) & ~disc(4)


DUMBBELL = disc(8, (20, 12)) | disc(8, (20, 27))
PAIR = disc(6, (20, 10)) | disc(3, (20, 30))
CASES: dict[str, tuple[Callable[[], Mask], Mask]] = {
    "grow by one is the cross": (lambda: shapes.grow(disc(0), 1), disc(1)),
    "shrink": (lambda: shapes.shrink(disc(1), 1), disc(0)),
    "shrink to nothing": (lambda: shapes.shrink(disc(2), 3), disc(2) & ~disc(2)),
    "holes": (lambda: shapes.fill_holes(ring()), disc(9)),
    "largest": (lambda: shapes.keep_largest(PAIR), disc(6, (20, 10))),
    "small": (lambda: shapes.remove_small(PAIR, 30), disc(6, (20, 10))),
    "not smaller": (lambda: shapes.remove_small(PAIR, 29), PAIR),
    "nothing to split": (lambda: shapes.split(disc(9), 3), disc(9)),
    "neck too wide to split": (lambda: shapes.split(DUMBBELL, 14), DUMBBELL),
    "thinner than the least neck": (lambda: shapes.split(PAIR, 40), PAIR),
    "gap too wide": (lambda: shapes.close_gaps(PAIR, 3), PAIR),
}


@pytest.mark.parametrize("name", CASES)
def test_shapes(name: str) -> None:
    make, expected = CASES[name]
    np.testing.assert_array_equal(make(), expected)


def test_growing_and_shrinking_give_a_disc_back() -> None:
    grown = shapes.grow(disc(9), 4)
    assert np.count_nonzero(grown ^ disc(13)) <= 0.04 * disc(13).sum()
    back = shapes.shrink(grown, 4)
    assert np.count_nonzero(back ^ disc(9)) <= 0.03 * disc(9).sum()


def test_smoothing_takes_bumps_and_bays_and_leaves_the_border() -> None:
    block = np.zeros((40, 40), bool)
    block[10:30, :] = True
    rough = block.copy()
    rough[9, 20], rough[29, 12] = True, False
    np.testing.assert_array_equal(shapes.smooth(rough, 3), block)
    assert np.count_nonzero(shapes.smooth(disc(9), 3) ^ disc(9)) <= 0.06 * disc(9).sum()


def test_touching_objects_are_split_by_a_line_one_pixel_wide() -> None:
    assert parts(DUMBBELL) == 1
    cut = shapes.split(DUMBBELL, 3)
    assert parts(cut) == 2
    line = DUMBBELL & ~cut
    assert parts(line) == 1
    assert np.ptp(np.nonzero(line)[1]) <= 1
    labels = shapes.split_parts(DUMBBELL, 3)
    assert set(np.unique(labels)) == {0, 1, 2}


def test_gaps_close_where_parts_are_near() -> None:
    near = disc(6, (20, 10)) | disc(6, (20, 25))
    closed = shapes.close_gaps(near, 3)
    assert parts(near) == 2
    assert parts(closed) == 1
    assert not (near & ~closed).any()


@pytest.mark.parametrize(
    ("spacing", "reached"),
    [((), 2), ((1, 1, 1), 2), ((4, 1, 1), 0), ((2, 1, 1), 1), ((0.5, 1, 1), 4)],
)
def test_thick_slices_are_further_away(spacing: tuple[float, ...], reached: int) -> None:
    volume = np.zeros((15, 15, 15), bool)
    volume[7, 7, 7] = True
    grown = shapes.grow(volume, 2, spacing)
    assert grown[7].sum() == disc(2).sum()
    assert np.ptp(np.nonzero(grown.any((1, 2)))[0]) == 2 * reached
    if spacing:
        back = shapes.shrink(grown, 1.99, spacing)
        np.testing.assert_array_equal(back, volume)


def test_holes_are_filled_in_each_slice_of_a_volume() -> None:
    tunnel = np.stack([ring()] * 5)
    np.testing.assert_array_equal(shapes.fill_holes(tunnel), np.stack([disc(9)] * 5))


def test_a_volume_keeps_its_largest_body() -> None:
    ball, rod = disc(5, (20, 20, 20)), np.zeros((41, 41, 41), bool)
    rod[:, 35, 35] = True
    np.testing.assert_array_equal(shapes.keep_largest(ball | rod), ball)
    np.testing.assert_array_equal(shapes.remove_small(ball | rod, 42), ball)


WORKS: dict[str, Callable[[Mask], Mask]] = {
    "grow": lambda mask: shapes.grow(mask, 2),
    "shrink": lambda mask: shapes.shrink(mask, 2),
    "close_gaps": lambda mask: shapes.close_gaps(mask, 2),
    "smooth": lambda mask: shapes.smooth(mask, 2),
    "fill_holes": shapes.fill_holes,
    "keep_largest": shapes.keep_largest,
    "remove_small": lambda mask: shapes.remove_small(mask, 2),
    "split": lambda mask: shapes.split(mask, 2),
}


@pytest.mark.parametrize("shape", [(7, 9), (3, 7, 9)], ids=str)
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
@pytest.mark.parametrize("name", WORKS)
def test_empty_and_full_masks_stay(name: str, full: bool, shape: tuple[int, ...]) -> None:
    mask = np.full(shape, full)
    result = WORKS[name](mask)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, mask)


@pytest.mark.parametrize("name", WORKS)
def test_masks_at_the_border_are_treated_as_anywhere(name: str) -> None:
    half = np.zeros((30, 30), bool)
    half[:, :12] = True
    before = half.copy()
    rows = WORKS[name](half)
    np.testing.assert_array_equal(half, before)
    np.testing.assert_array_equal(rows, np.broadcast_to(rows[15], rows.shape))
    assert rows[:, 0].all()
