"""What the values of a mask mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.masks.values import Meaning, classify, meant_labels, to_labels

DISC = np.hypot(*(np.indices((64, 64)) - 30)) < 16
"""What was segmented, bool."""
BOX = np.zeros((64, 64), bool)
BOX[20:44, 12:40] = True
SIX = np.kron(np.arange(64).reshape(8, 8), np.ones((8, 8), np.uint8))
"""64 labels in squares of 8 by 8."""
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)


def soft(mask: np.ndarray, top: float = 255, width: float = 1.5) -> np.ndarray:
    return gaussian_filter(mask * np.float32(top), width).clip(0, top)


def noisy(mask: np.ndarray) -> np.ndarray:
    """A mask as JPEG leaves it: hard edges, and noise at both levels."""
    return np.where(mask, 255 - NOISE % 14, NOISE % 14).astype(np.uint8)


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        (DISC, Meaning.TWO_LEVELS),
        (DISC.astype(np.uint8), Meaning.TWO_LEVELS),
        (DISC * np.uint8(255), Meaning.TWO_LEVELS),
        (DISC * np.uint16(65535), Meaning.TWO_LEVELS),
        (DISC * 0, Meaning.TWO_LEVELS),
        (DISC * np.float32(0.99999997), Meaning.TWO_LEVELS),
        (DISC * np.uint8(128), Meaning.LABELS),
        (np.array([0, 128, 255], np.uint8)[DISC.astype(int) + BOX], Meaning.LABELS),
        (SIX, Meaning.LABELS),
        (np.where(DISC, 255, SIX), Meaning.LABELS),
        (SIX * 1000, Meaning.LABELS),
        (SIX.astype(np.float32), Meaning.LABELS),
        (np.array([[312782547, 0]]), Meaning.LABELS),
        (np.array([[312782547, 0]], np.float64), Meaning.LABELS),
        (soft(DISC).astype(np.uint8), Meaning.SOFT),
        (soft(BOX).round().astype(np.uint8), Meaning.SOFT),
        (noisy(DISC), Meaning.SOFT),
        (soft(DISC, 65535).astype(np.uint16), Meaning.SOFT),
        (soft(DISC, 1), Meaning.SOFT),
        (np.stack([soft(DISC).astype(np.uint8)] * 70), Meaning.SOFT),
        (NOISE, Meaning.GREY),
        (np.where(DISC, NOISE // 2 + 40, 0), Meaning.GREY),
        (np.where(DISC, NOISE / 2, 0), Meaning.GREY),
        (np.where(DISC, -0.5, 0), Meaning.GREY),
    ],
)
def test_the_meaning_of_values(values: np.ndarray, meaning: Meaning) -> None:
    assert classify(values, "m.png").meaning is meaning


@pytest.mark.parametrize("mask", [DISC, BOX], ids=["disc", "box"])
@pytest.mark.parametrize(("top", "kind"), [(255, "u1"), (65535, "u2"), (1, "f4"), (255, "f8")])
def test_soft_edges_are_cut_at_half(mask: np.ndarray, top: int, kind: str) -> None:
    values = soft(mask, top).astype(kind)
    labels = to_labels(values, classify(values, "m.png"), "m.png")
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, values >= top / 2)
    np.testing.assert_array_equal(to_labels(noisy(mask), classify(noisy(mask), ""), ""), mask)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (NOISE, "grey values of an image"),
        (np.array([[0.0, np.nan]]), "no numbers"),
        (np.array([[0.0, np.inf]]), "no numbers"),
        (np.array([[0, 2**24 + 2]], np.float32), "stores labels above 16777216 as float32"),
        (np.array([[0, 3000]], np.float16), "stores labels above 2048 as float16"),
        (np.array([[0, 2**32]]), "4294967295"),
        (np.array([[0, -1]]), "from -1"),
    ],
)
def test_what_is_no_mask_is_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=f"m.png.*{words}"):
        to_labels(values, classify(values, "m.png"), "m.png")


def test_large_labels_are_kept_exactly() -> None:
    values = np.array([[0, 312782546, 312782547]], np.float64)
    assert to_labels(values, classify(values, ""), "").tolist() == [[0, 312782546, 312782547]]


def test_a_layer_of_two_levels_means_what_its_file_does() -> None:
    assert np.array_equal(meant_labels(DISC * np.uint8(255), "m"), DISC)
    assert meant_labels(SIX, "m") is SIX
