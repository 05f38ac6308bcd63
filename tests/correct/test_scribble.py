from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.ndimage import label

from napari_unet_seg.correct.scribble import solve_scribbles

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Y, X = np.mgrid[:128, :128]
DISC = (Y - 60) ** 2 + (X - 64) ** 2 < 20**2
HALF = DISC & (X < 64)
RNG = np.random.default_rng(0)
IMAGE = 60 + 80 * DISC + RNG.normal(0, 12, DISC.shape)
NONE = np.zeros(DISC.shape, bool)


def stroke(y: slice, x: slice) -> Array:
    marked = NONE.copy()
    marked[y, x] = True
    return marked


IN_DISC = stroke(slice(52, 70), slice(74, 76))
BESIDE = stroke(slice(50, 70), slice(92, 94))


def solved(
    image: Array = IMAGE,
    probability: Array | None = None,
    labels: Array = HALF,
    foreground: Array = NONE,
    background: Array = NONE,
) -> Array:
    """The whole mask of label 2 after the strokes."""
    before = labels.astype(np.uint8) * 2 if labels.dtype == bool else labels
    window, new = solve_scribbles(image, probability, before, foreground, background, value=2)
    after = before.copy()
    after[window] = new
    assert new.dtype == before.dtype
    return after


def iou(mask: Array, truth: Array) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


CASTS = {
    "uint8": lambda image: np.clip(image, 0, 255).astype(np.uint8),
    "uint16": lambda image: np.clip(image * 200, 0, 65535).astype(np.uint16),
    "int16 below zero": lambda image: (image * 10 - 1500).astype(np.int16),
    "float32": lambda image: image.astype(np.float32),
    "with NaN": lambda image: np.where(RNG.random(image.shape) < 0.02, np.nan, image),
    "inverted": lambda image: -image,
}


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_stroke_fetches_the_missed_half(cast: Any) -> None:
    after = solved(cast(IMAGE), foreground=IN_DISC) == 2
    assert iou(HALF, DISC) < 0.55
    assert iou(after, DISC) > 0.9


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_background_stroke_removes_what_is_too_much(cast: Any) -> None:
    too_much = DISC | ((abs(Y - 60) < 12) & (X >= 64) & (X < 98))
    after = solved(cast(IMAGE), labels=too_much, background=BESIDE) == 2
    assert iou(too_much, DISC) < 0.8
    assert iou(after, DISC) > 0.95


def test_strokes_win_against_the_network() -> None:
    sure = np.where(HALF, 0.99, 0.01)
    inside, outside = IN_DISC, stroke(slice(55, 65), slice(50, 52))
    after = solved(probability=sure, foreground=inside, background=outside) == 2
    assert after[inside].all()
    assert not after[outside].any()


def test_the_network_helps_where_grey_values_do_not() -> None:
    noise = RNG.normal(0, 1, DISC.shape)
    by_network = solved(noise, np.where(DISC, 0.95, 0.05), foreground=IN_DISC) == 2
    alone = solved(noise, foreground=IN_DISC) == 2
    assert iou(by_network, DISC) > iou(alone, DISC) + 0.02


def test_nothing_changes_outside_the_window_or_on_its_rim() -> None:
    """So that the mask goes on as it was, however sure the network is of more."""
    before = (RNG.random(DISC.shape) < 0.1).astype(np.int32)
    sure = np.full(DISC.shape, 0.99)
    window, new = solve_scribbles(IMAGE, sure, before, IN_DISC, NONE, value=2, window_margin=10)
    assert window == (slice(42, 80), slice(64, 86))
    assert new.shape == (38, 22)
    assert (new[1:-1, 1:-1] == 2).any()
    rim = np.ones(new.shape, bool)
    rim[1:-1, 1:-1] = False
    assert (new == before[window])[rim].all()


def test_changes_are_connected_with_a_stroke() -> None:
    """A second object near the stroke, that the network sees and the mask lacks, stays as it is."""
    second = (Y - 60) ** 2 + (X - 100) ** 2 < 8**2
    image = IMAGE + 80 * second
    sure = np.where(DISC | second, 0.98, 0.02)
    before = HALF.astype(np.uint8) * 2
    after = solved(image, sure, foreground=IN_DISC)
    assert not after[second].any()
    _, count = label((after != before) | IN_DISC)
    assert count == 1


@pytest.mark.parametrize("other", [1, 255])
def test_other_labels_are_left_alone_unless_drawn_over(other: int) -> None:
    before = np.where(HALF, 2, 0).astype(np.uint8)
    taken = (X >= 70) & (X < 90) & (Y >= 40) & (Y < 80)
    before[taken] = other
    after = solved(
        labels=before, foreground=IN_DISC, background=stroke(slice(42, 44), slice(72, 88))
    )
    assert (after[IN_DISC] == 2).all()
    assert (after[taken & ~IN_DISC] == other).all()


@pytest.mark.parametrize("labels", [NONE, ~NONE], ids=["empty", "full"])
@pytest.mark.parametrize("kind", ["foreground", "background"])
@pytest.mark.parametrize("image", [np.full(DISC.shape, 0.1), np.full(DISC.shape, np.nan)])
def test_an_image_without_edges(image: Array, labels: Array, kind: str) -> None:
    after = solved(image, labels=labels, **{kind: IN_DISC}) == 2
    assert (after[IN_DISC] == (kind == "foreground")).all()


def test_a_mask_reaches_the_border_of_the_image() -> None:
    disc = (Y < 30) & (abs(X - 64) < 15)
    image = 60 + 80 * disc + RNG.normal(0, 8, disc.shape)
    drawn = stroke(slice(8, 22), slice(60, 66))
    after = solved(image, labels=disc & (Y > 24), foreground=drawn) == 2
    assert after[0, 60:68].all()


def test_without_a_stroke_nothing_is_solved() -> None:
    window, new = solve_scribbles(IMAGE, None, HALF.astype(np.uint8), NONE, NONE, value=1)
    assert new.size == 0
    assert HALF[window].size == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2)])
def test_small_images(shape: tuple[int, int]) -> None:
    drawn = np.zeros(shape, bool)
    drawn[0, 0] = True
    _, new = solve_scribbles(
        np.ones(shape), None, np.zeros(shape, np.uint8), drawn, ~drawn & False, value=3
    )
    assert new.shape == shape
    assert new[0, 0] == 3


@pytest.mark.parametrize("scale", [5, 10])
def test_what_is_solved_hangs_on_the_stroke_and_not_on_the_slice(scale: int) -> None:
    large = np.kron(IMAGE, np.ones((scale, scale)))
    drawn = np.zeros(large.shape, bool)
    drawn[300:360, 370:376] = True
    empty = np.zeros(large.shape, np.uint8)
    _, new = solve_scribbles(large, None, empty, drawn, drawn & False, value=1)
    assert new.shape == (124, 70)
