"""What a prediction holds: amounts, and the slice with most of the largest lesion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_unet_seg._napari.layers.geometry import VoxelSize
from napari_unet_seg._napari.segment.findings import find
from napari_unet_seg._napari.segment.summary import better_model, summary
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.events import LeftOut, PredictFinished
from napari_unet_seg.models import ANY_SEQUENCE, BRAIN, BUNDLED

CATEGORIES = (Category(id=1, name="tumour"), Category(id=2, name="oedema"))
MM = VoxelSize((3.0, 0.5, 0.5), "mm")


def labels() -> Any:
    """A small lesion that is large on its slice, and a longer one with two categories."""
    made = np.zeros((6, 20, 20), np.uint8)
    made[0, :8, :8] = 1
    made[2:5, 12:18, 12:18] = 2
    made[3, 11:18, 11:18] = 1
    made[5] = IGNORE_INDEX
    return made


def test_volumes_are_in_millilitres() -> None:
    found = find(labels(), CATEGORIES, MM, volume=True)
    tumour, oedema = found.amounts
    assert (tumour.voxels, oedema.voxels) == (64 + 49, 2 * 36)
    assert tumour.ml == pytest.approx(113 * 3 * 0.5 * 0.5 / 1000)
    assert str(oedema) == "oedema 0.054 ml (72 voxels)"


def test_the_slice_has_most_of_the_largest_lesion() -> None:
    assert find(labels(), CATEGORIES, MM, volume=True).place == (3,)
    # Among images that do not belong together the lesion of 64 pixels is the largest.
    assert find(labels(), CATEGORIES, MM, volume=False).place == (0,)


def test_images_and_pixels_without_a_unit_have_no_volume() -> None:
    for voxel, volume in ((VoxelSize((1, 1, 1), "pixel"), True), (MM, False)):
        amounts = find(labels(), CATEGORIES, voxel, volume=volume).amounts
        assert [str(each) for each in amounts] == ["tumour 113 pixels", "oedema 72 pixels"]


def test_micrometres_are_millilitres_too() -> None:
    found = find(labels(), CATEGORIES, VoxelSize((1000, 1000, 1000), "µm"), volume=True)
    assert found.amounts[0].ml == pytest.approx(0.113)


def test_nothing_is_found_in_an_empty_mask_and_a_slice_has_no_place() -> None:
    empty = find(np.full((2, 3, 4), IGNORE_INDEX, np.uint8), CATEGORIES, MM, volume=True)
    assert (empty.amounts, empty.place) == ((), None)
    assert (
        find(np.ones((4, 5), np.uint8), CATEGORIES, VoxelSize((1, 1), "mm"), volume=False).place
        == ()
    )


def test_volumes_over_time_are_volumes_each() -> None:
    series = np.zeros((2, 3, 4, 5), np.uint8)
    series[1, 2, 1:3, 1:3] = 1
    found = find(series, CATEGORIES, VoxelSize((1, 1, 1, 1), "mm"), volume=True)
    assert found.place == (1, 2)
    assert found.amounts[0].ml == pytest.approx(0.004)


def test_predicted_dice_is_told_where_something_was_found() -> None:
    dice = np.linspace(0.1, 0.6, 6, dtype=np.float32)
    found = prediction(labels(), dice)  # on slices 0, 2, 3 and 4
    assert summary(found) == "Predicted Dice 0.10…0.50 · 2.0 s on CPU"
    assert summary(prediction(np.zeros((6, 4, 4), np.uint8), dice)) == "2.0 s on CPU"
    one = prediction(np.ones((4, 4), np.uint8), np.array(0.8, np.float32))
    unknown = prediction(labels(), np.full(6, np.nan, np.float32))
    assert summary(unknown) == "Predicted Dice not known · 2.0 s on CPU"
    assert summary(one, ["A note."]) == "Predicted Dice 0.80 · 2.0 s on CPU. A note."
    told = "2 small parts of the mask were left out (9 voxels)."
    without = replace(one, left_out=LeftOut(2, 9))
    assert summary(without) == f"Predicted Dice 0.80 · 2.0 s on CPU. {told}"


def prediction(found: Any, dice: Any) -> PredictFinished:
    return PredictFinished(found, None, None, None, dice, CATEGORIES, "CPU", 2.0)


@pytest.mark.parametrize(
    ("model", "sequence", "told"),
    [
        (BUNDLED, "FLAIR", "“Any-sequence model” finds more in FLAIR: choose it in the header."),
        (ANY_SEQUENCE, "T1c", ""),
        (BUNDLED, "T1c", ""),
        (ANY_SEQUENCE, "FLAIR", ""),
        (BUNDLED, "T2", ""),
        (BUNDLED, "", ""),
        (BRAIN, "FLAIR", ""),
        (Path("best.safetensors"), "FLAIR", ""),
    ],
)
def test_the_model_that_finds_more_is_told(model: Path, sequence: str, told: str) -> None:
    assert better_model(model, sequence) == told
