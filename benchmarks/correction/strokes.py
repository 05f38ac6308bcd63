"""A simulated annotator with a brush.

A stroke is one drag with a round brush of one size that either adds or erases. The annotator looks
at the mask and the truth, starts where a brush mends most, and drags on, half a radius at a time,
in whichever of eight directions mends most, as long as that mends more than it spoils and at most
`LONGEST` pixels far. The hand is unsteady: every position is off by a normal deviate of `TREMOR`
pixels, seeded. To take another brush costs as much as a stroke; the first one has a radius of
`FIRST`. The work is done when the Dice is at least `GOOD`.

A line along the border is a drag of the same length, by the same hand, over points `STEP` pixels
apart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from scipy.signal import oaconvolve
from skimage.measure import find_contours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


RADII = (1, 2, 4, 8, 16)
FIRST = 4
LONGEST = 60
TREMOR = 0.7
GOOD = 0.95
SCRIBBLE = 2
"""Radius of the brush that marks a region."""
STEP = 2
STARTS = 32
"""Places of a border where a line may start."""

_WAYS = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]


class Stroke(NamedTuple):
    """The pixels under the brush, whether it adds, and the brush."""

    pixels: Array
    adds: bool
    radius: int


def dice(mask: Array, truth: Array) -> float:
    """Dice of two masks; 1 where both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def strokes(mask: Array, truth: Array, hand: np.random.Generator) -> Iterator[Stroke]:
    """Yield the best stroke of every brush, to add and to erase."""
    for adds in (True, False):
        # One for each pixel that a stroke mends, minus one for each that it spoils.
        worth = np.where(mask == adds, 0.0, np.where(truth == adds, 1.0, -1.0))
        if (worth > 0).any():
            for radius in RADII:
                yield Stroke(_drag(worth, radius, hand), adds, radius)


def painted(mask: Array, stroke: Stroke) -> Array:
    """Return the mask after a stroke."""
    return mask | stroke.pixels if stroke.adds else mask & ~stroke.pixels


def scribble(mask: Array, truth: Array, hand: np.random.Generator) -> Stroke | None:
    """Return a short stroke of a thin brush through the middle of what is wrong most.

    It is what marks a region for a tool that finds its border by itself; None where all is right.
    """
    best: Stroke | None = None
    largest = 0
    for adds in (True, False):
        wrong = truth & ~mask if adds else mask & ~truth
        parts, count = label(wrong)
        sizes = np.bincount(parts.ravel(), minlength=1)[1:]
        if count and sizes.max() > largest:
            largest = int(sizes.max())
            depth = distance_transform_edt(parts == 1 + int(sizes.argmax()))
            # Worth more the deeper within: the drag keeps to the middle.
            worth = np.where(depth > 0, depth, -1.0)
            best = Stroke(_drag(worth, SCRIBBLE, hand) & wrong, adds, SCRIBBLE)
    return best


def lines(truth: Array) -> Iterator[Array]:
    """Yield stretches of the true border, as points (N, 2), by a hand that is steady."""
    for border in find_contours(np.pad(truth, 1).astype(np.float32), 0.5):
        along = np.concatenate(([0], np.hypot(*np.diff(border, axis=0).T).cumsum()))
        count = max(3, round(along[-1] / STEP))
        places = np.linspace(0, along[-1], count, endpoint=False)
        points = np.stack([np.interp(places, along, axis - 1) for axis in border.T], 1)
        for length in (LONGEST, LONGEST * 2 // 3, LONGEST // 3):
            reach = np.arange(min(count, length // STEP + 1))
            for start in range(0, count, max(1, count // STARTS)):
                yield points[(start + reach) % count]


def trembling(points: Array, hand: np.random.Generator) -> Array:
    """Return a line as the hand draws it."""
    return points + hand.normal(0, TREMOR, points.shape)


def _drag(worth: Array, radius: int, hand: np.random.Generator) -> Array:
    gains = oaconvolve(worth, _brush(radius), mode="same")
    row, column = (int(n) for n in np.unravel_index(int(gains.argmax()), gains.shape))
    covered = np.zeros(worth.shape, bool)
    left = worth.copy()
    step = max(1, radius // 2)
    _press(covered, left, row, column, radius, hand)
    for _ in range(LONGEST // step):
        gain, row, column = max(
            (
                _gain(left, row + step * a, column + step * b, radius),
                row + step * a,
                column + step * b,
            )
            for a, b in _WAYS
        )
        if gain <= 0:
            break
        _press(covered, left, row, column, radius, hand)
    return covered


def _press(
    covered: Array, left: Array, row: int, column: int, radius: int, hand: np.random.Generator
) -> None:
    """Put the brush down near a place; what it covers is worth nothing from then on."""
    row, column = (
        round(n + d) for n, d in zip((row, column), hand.normal(0, TREMOR, 2), strict=True)
    )
    place, brush = _under(left.shape, row, column, radius)
    covered[place] |= brush
    left[place][brush] = 0


def _gain(left: Array, row: int, column: int, radius: int) -> float:
    place, brush = _under(left.shape, row, column, radius)
    return float(left[place][brush].sum())


def _under(
    shape: tuple[int, ...], row: int, column: int, radius: int
) -> tuple[tuple[slice, slice], Array]:
    """The part of an image under the brush, and the brush cut to it."""
    top, left = max(0, row - radius), max(0, column - radius)
    bottom, right = min(shape[0], row + radius + 1), min(shape[1], column + radius + 1)
    brush = _brush(radius) > 0
    start = top - row + radius, left - column + radius
    rows = slice(start[0], start[0] + max(0, bottom - top))
    columns = slice(start[1], start[1] + max(0, right - left))
    return (slice(top, max(top, bottom)), slice(left, max(left, right))), brush[rows, columns]


@cache
def _brush(radius: int) -> Array:
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (rows**2 + columns**2 <= radius**2).astype(np.float64)
