"""The predicted Dice: what it is worth, and how it is calibrated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg import engine
from napari_unet_seg.config import (
    IGNORE_INDEX,
    Category,
    ModelConfig,
    NormaliseConfig,
    PredictConfig,
)
from napari_unet_seg.inference.predicted_dice import (
    PRIOR,
    Calibration,
    calibrate,
    emptied_dice,
    expected_dice,
    predicted_dice,
    slice_dice,
)
from napari_unet_seg.inference.predictor import Predictor
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import CheckpointInfo


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
        (0.4, 0.0, 0.03),  # nothing is found where something was likely
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


def info(calibration: Calibration) -> CheckpointInfo:
    return CheckpointInfo(
        version="0",
        model=ModelConfig(),
        categories=(Category(id=1, name="tumour"),),
        normalise=NormaliseConfig(),
        image_size=64,
        calibration=calibration.knots,
        calibration_prior=calibration.prior,
    )


def predicted(calibration: Calibration) -> tuple[float, float]:
    """Expected and predicted Dice of a square."""
    probabilities, labels = square(0.5)
    raw = expected_dice(probabilities, labels, calibration.prior).item()
    return raw, predicted_dice(probabilities, labels, info(calibration))[0]


def test_calibration_maps_to_what_held_out_slices_had():
    expected = np.linspace(0, 1, 200)
    calibration = calibrate(expected, expected**2, range(200))
    assert len(calibration.knots) == 32
    raw, found = predicted(calibration)
    assert found == pytest.approx(raw**2, abs=0.01)


def test_calibration_never_falls():
    generator = np.random.default_rng(0)
    expected = generator.random(100)
    noisy = expected + generator.normal(0, 0.3, 100)
    _, true = zip(*calibrate(expected, noisy, range(100)).knots, strict=True)
    assert list(true) == sorted(true)


def test_every_patient_counts_the_same():
    # one patient of 90 slices that are all right, and nine of a slice each that are all wrong
    calibration = calibrate([0.5] * 99, [1.0] * 90 + [0.0] * 9, [0] * 90 + [*range(1, 10)])
    assert {true for _, true in calibration.knots} == {0.1}


@pytest.mark.parametrize(
    ("slices", "patients", "known"), [(20, 8, True), (19, 8, False), (200, 7, False), (8, 8, False)]
)
def test_few_slices_or_patients_calibrate_nothing(slices, patients, known):
    of = [index % patients for index in range(slices)]
    assert bool(calibrate([0.5] * slices, [0.6] * slices, of).knots) == known


def test_without_a_calibration_the_dice_is_not_known():
    assert np.isnan(predicted(Calibration())[1])


@pytest.mark.parametrize(
    ("halo", "doubt", "expected"),
    [
        (0.0, 0.0, 1.0),
        (0.4, 0.0, 1.0),  # around what was removed
        (0.0, 0.4, PRIOR * 10_000 / (0.4 * 200 + PRIOR * 10_000)),  # elsewhere on the slice
    ],
)
def test_only_doubt_away_from_a_removed_mask_lowers_its_dice(halo, doubt, expected):
    probabilities = torch.zeros(2, 1, 100, 100)
    probabilities[0, 0, 15:35, 15:35] = halo
    probabilities[0, 0, 20:30, 20:30] = 0.9
    probabilities[:, :, 80:100, 90:100] = doubt
    labels = (probabilities[:, 0] >= 0.5).to(torch.uint8)
    found = emptied_dice(probabilities, labels, info(Calibration(((0.0, 0.0), (1.0, 1.0)))))
    assert found == pytest.approx([expected] * 2, abs=0.01)


def test_the_dice_of_a_removed_mask_is_told_for_the_smallest_plane():
    probabilities = torch.full((1, 1, 3, 5), 0.9)
    calibration = Calibration(((0.0, 0.0), (1.0, 1.0)))
    assert emptied_dice(probabilities, probabilities[:, 0] > 0, info(calibration)) == [1.0]


def test_a_calibration_of_the_first_format_keeps_its_prior():
    stored = info(Calibration(((0.0, 0.0), (1.0, 1.0)))).content()
    del stored["calibration_prior"]
    first = CheckpointInfo.parse({**stored, "format": "1.1"}, "the model")
    stray = torch.zeros(1, 1, 100, 100)
    stray[..., 0, :10] = 0.4
    nothing = torch.zeros(1, 100, 100, dtype=torch.uint8)
    assert predicted_dice(stray, nothing, first)[0] == pytest.approx(10 / (10 + 4), abs=1e-3)
    assert PRIOR > first.calibration_prior


def test_in_a_volume_the_dice_tells_how_well_neighbours_agree(make_checkpoint):
    """A network that finds what is bright, each slice with the same certainty."""
    path = make_checkpoint()
    data = np.zeros((6, 32, 32), np.uint8)
    data[:, :2] = 30
    data[:3, 4:20, 4:20] = 200
    data[3, 4:20, 4:12] = 200
    scan = Scan(data, "ZYX")

    def bright(_self, slices, *_):
        return torch.from_numpy(slices / 255).float(), torch.zeros(len(slices), 32, 32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Predictor, "probabilities", bright)
        *_, volume = engine.predict(PredictConfig(remove_small=False), path, scan)
        *_, apart = engine.predict(PredictConfig(), path, Scan(data, "NYX"))
    agreement = np.array([1, 1, (1 + 2 / 3) / 2, (2 / 3 + 0) / 2, 1 / 2, 1])
    assert volume.dice == pytest.approx((apart.dice + agreement) / 2)
    assert volume.labels[3].sum() == 128 and apart.dice.min() > 0.7
