"""Small parts of the mask of a volume are removed slice by slice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_unet_seg import engine
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.predictor import Predictor
from napari_unet_seg.inference.small_parts import left_out_note, remove_small_parts
from napari_unet_seg.io.common.scan import Scan


def expected(labels: np.ndarray, share: float) -> np.ndarray:
    """The same, of a whole volume at once."""
    kept = labels.copy()
    for value in np.unique(labels[labels > 0]):
        parts, _ = ndimage.label(labels == value, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        kept[(parts > 0) & (sizes < share * sizes.max())[parts]] = 0
    return kept


@pytest.mark.parametrize("seed", range(4))
def test_parts_are_those_of_the_whole_volume(seed):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(2, 12, 30, 28)), (0, 1, 1.5, 1.5))
    labels = (np.digitize(noise, (0.12, 0.2)) * (noise > 0.12)).astype(np.uint8)
    wanted = np.stack([expected(volume, 0.2) for volume in labels])
    assert (wanted != labels).any() and all((wanted[0] == value).any() for value in (1, 2))
    found = labels.copy()
    removed = sum((remove_small_parts(found, (volume,), 0.2)[0] for volume in range(2)), LeftOut())
    assert np.array_equal(found, wanted)
    assert removed.voxels == np.count_nonzero(wanted != labels)


def test_a_part_that_parts_and_meets_again_is_one():
    labels = np.zeros((3, 9, 9), np.uint8)
    labels[0, 1, :] = labels[1, 1, ::8] = labels[2, 1, ::8] = 1
    labels[2, 6, 4] = 1
    removed, emptied = remove_small_parts(labels, (), 0.2)
    assert (removed, emptied) == (LeftOut(1, 1), [])
    assert np.count_nonzero(labels) == 13


def test_nothing_is_found_in_nothing():
    labels = np.zeros((2, 5, 5), np.uint8)
    assert remove_small_parts(labels, (), 0.5) == (LeftOut(), [])


def test_what_was_left_out_is_told():
    assert left_out_note(LeftOut()) == ""
    assert left_out_note(LeftOut(1, 1)) == "1 small part of the mask was left out (1 voxel)."
    assert "2 small parts of the mask were left out (9 voxels)." == left_out_note(LeftOut(2, 9))


@pytest.fixture
def spotted() -> np.ndarray:
    """A volume with a large and a small bright block, and a rim of grey."""
    data = np.zeros((6, 32, 32), np.uint8)
    data[:, :2] = 30
    data[:2, 4:26, 4:26] = 200
    data[4, 14:18, 14:18] = 200
    return data


def test_predictions_of_volumes_leave_small_parts_out(make_checkpoint, spotted, monkeypatch):
    def bright(_self, slices, *_):
        return torch.from_numpy(slices / 255).float(), torch.zeros(len(slices), 32, 32)

    monkeypatch.setattr(Predictor, "probabilities", bright)  # a network that finds what is bright
    path = make_checkpoint()
    *_, result = engine.predict(PredictConfig(), path, Scan(spotted, "ZYX"))
    *_, whole = engine.predict(PredictConfig(remove_small=False), path, Scan(spotted, "ZYX"))
    *_, apart = engine.predict(PredictConfig(), path, Scan(spotted, "NYX"))
    assert result.left_out == LeftOut(1, 16) and not result.labels[4].any()
    assert result.dice[4] < whole.dice[4] and np.array_equal(result.dice[:4], whole.dice[:4])
    for kept in (whole, apart):  # images of their own have no neighbours
        assert kept.labels[4].any() and kept.left_out == LeftOut()


def test_noise_is_left_as_it_is():
    labels = np.random.default_rng(0).integers(0, 2, (60, 128, 128), np.uint8)
    noise = labels.copy()
    assert remove_small_parts(labels, (), 0.5) == (LeftOut(), [])
    assert np.array_equal(labels, noise)
