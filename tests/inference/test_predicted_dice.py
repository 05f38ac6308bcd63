"""The predicted Dice: what it is worth, and how it is calibrated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.inference.predicted_dice import (
    calibrate,
    expected_dice,
    predicted_dice,
    slice_dice,
)


def square(inside: float, outside: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    probabilities = torch.full((1, 1, 100, 100), outside)
    probabilities[..., 20:70, 20:70] = inside
    return probabilities, (probabilities[:, 0] >= 0.5).to(torch.uint8)


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (1.0, 0.0, 1.0),
        (0.5, 0.0, 2 * 0.5 / 1.5),
        (0.8, 0.2, 2 * 0.8 * 2500 / (0.8 * 2500 + 0.2 * 7500 + 2500)),
        (0.0, 0.0, 1.0),  # nothing is found, and nothing is expected
        (0.4, 0.0, 0.01),  # nothing is found where something was likely
    ],
)
def test_expected_dice_of_a_square(inside, outside, expected):
    assert expected_dice(*square(inside, outside)).item() == pytest.approx(expected, abs=0.01)


def test_classes_and_slices_of_a_volume_are_told_apart():
    probabilities = torch.zeros(1, 2, 3, 40, 40)
    probabilities[0, 0, 0, :20] = 1.0
    probabilities[0, 1, 1, :20] = 0.6
    labels = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)
    labels[0, 0, :20], labels[0, 1, :20] = 1, 2
    found = expected_dice(probabilities, labels)
    assert found.shape == (1, 3)
    assert found[0].tolist() == pytest.approx([1.0, 0.75, 1.0], abs=0.01)
    swapped = torch.where(labels > 0, 3 - labels, 0)
    assert expected_dice(probabilities, swapped)[0, 0] < 0.01


@pytest.mark.parametrize(
    ("found", "truth", "dice"),
    [
        ([1, 1, 0, 0], [1, 0, 0, 0], 2 / 3),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),
        ([1, 0, 0, 0], [0, 0, 0, 0], 0.0),
        ([1, 2, 0, 0], [2, 2, 0, 0], 0.5),
        ([1, 1, 0, 0], [1, IGNORE_INDEX, 0, 0], 1.0),
    ],
)
def test_dice_of_a_slice(found, truth, dice):
    assert slice_dice(np.array([[found]]), np.array([[truth]])) == pytest.approx([dice])


def test_calibration_maps_to_what_held_out_slices_had():
    expected = np.linspace(0, 1, 200)
    knots = calibrate(expected, expected**2)
    assert len(knots) == 32
    probabilities, labels = square(0.5)
    raw = expected_dice(probabilities, labels).item()
    assert predicted_dice(probabilities, labels, knots)[0] == pytest.approx(raw**2, abs=0.01)


def test_calibration_never_falls():
    generator = np.random.default_rng(0)
    expected = generator.random(100)
    _, true = zip(*calibrate(expected, expected + generator.normal(0, 0.3, 100)), strict=True)
    assert list(true) == sorted(true)


def test_few_slices_calibrate_nothing():
    assert calibrate([0.5] * 19, [0.6] * 19) == ()
    probabilities, labels = square(0.5)
    raw = expected_dice(probabilities, labels).numpy()
    assert predicted_dice(probabilities, labels, ()) == pytest.approx(raw)
