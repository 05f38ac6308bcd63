"""Counts, Dice and surface distances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.evaluation.surface import hd95


def test_counts_leave_out_ignored_pixels():
    truth = np.array([1, 1, 0, 0, 2, IGNORE_INDEX])
    found = np.array([1, 0, 1, 0, 1, 1])
    assert count(found, truth, 1) == Counts(tp=1, fp=2, fn=1, tn=1)


@pytest.mark.parametrize(
    ("counts", "dice", "iou", "precision", "recall"),
    [
        (Counts(6, 2, 4, 0), 12 / 18, 6 / 12, 6 / 8, 6 / 10),
        (Counts(5, 0, 0, 3), 1, 1, 1, 1),
        (Counts(0, 3, 0, 3), 0, 0, 0, math.nan),
        (Counts(0, 0, 0, 9), math.nan, math.nan, math.nan, math.nan),
    ],
)
def test_figures(counts, dice, iou, precision, recall):
    figures = (counts.dice, counts.iou, counts.precision, counts.recall)
    assert figures == pytest.approx((dice, iou, precision, recall), nan_ok=True)


def test_hd95_is_in_physical_units():
    truth = np.zeros((3, 20, 20), bool)
    truth[1, 5:10, 5:10] = True
    moved = np.roll(truth, 4, axis=2)
    assert hd95(truth, truth, (3, 1, 1)) == 0
    assert hd95(moved, truth, (3, 1, 0.5)) == pytest.approx(2.0)
    up = np.roll(truth, 1, axis=0)
    assert hd95(up, truth, (3, 1, 1)) == pytest.approx(3.0)


def test_hd95_of_an_empty_mask_is_nan():
    mask = np.ones((4, 4), bool)
    assert math.isnan(hd95(mask, np.zeros_like(mask), (1, 1)))
