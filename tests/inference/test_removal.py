"""Small parts, and parts outside the brain, are removed from masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_unet_seg import engine
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.predictor import Predictor
from napari_unet_seg.inference.removal.brain import Brain
from napari_unet_seg.inference.removal.small_parts import remove_small_parts
from napari_unet_seg.inference.slices import SliceReader
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import read_header


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
    assert np.array_equal(result.dice[:3], whole.dice[:3])
    assert result.dice[4] >= result.dice[3]  # nothing on either, and no doubt from what was removed
    for kept in (whole, apart):  # images of their own have no neighbours
        assert kept.labels[4].any() and kept.left_out == LeftOut()


def test_noise_is_left_as_it_is():
    labels = np.random.default_rng(0).integers(0, 2, (60, 128, 128), np.uint8)
    noise = labels.copy()
    assert remove_small_parts(labels, (), 0.5) == (LeftOut(), [])
    assert np.array_equal(labels, noise)


@pytest.fixture
def phantom() -> Scan:
    """A slice of a head with its skull."""
    scan = read_scan(Path(__file__).parents[2] / "sample_data" / "phantom-scan.nii.gz")
    return Scan(np.asarray(scan.data)[22:25], "ZYX")


def test_what_lies_outside_the_brain_is_removed(phantom):
    brain = Brain(PredictConfig(), SliceReader(phantom, read_header(BUNDLED)))
    plane = np.zeros(phantom.data.shape[1:], np.uint8)
    plane[60:70, 40:70] = 2
    plane[2:6, 2:6] = plane[-4:, 50:60] = 1
    kept, removed = brain.keep_inside(1, plane)
    assert removed == LeftOut(2, 16 + 40)
    assert np.array_equal(kept, np.where(plane == 2, 2, 0)) and kept.dtype == plane.dtype
    assert brain.keep_inside(0, np.zeros_like(plane))[1] == LeftOut()


def test_scans_and_single_slices_are_kept_inside_the_brain(make_checkpoint, phantom):
    path, plain = make_checkpoint(), PredictConfig(remove_small=False, threshold=0.63)
    *_, whole = engine.predict(plain, path, phantom)
    config = plain.replace(inside_brain=True)
    *_, inside = engine.predict(config, path, phantom)
    gone = np.count_nonzero(whole.labels) - np.count_nonzero(inside.labels)
    assert inside.outside.voxels == gone > 0 and inside.left_out == LeftOut()
    assert inside.labels.any() and not inside.labels[:, 0].any()
    slices = list(engine.predict_slices(config, path, phantom, range(3)))
    assert all(np.array_equal(s.labels, inside.labels[s.index]) for s in slices)
