"""Networks of volumes, from training to prediction."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg import engine
from napari_unet_seg.cli import main
from napari_unet_seg.config import Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import volume_sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Evaluated, PredictFinished, TileDone, TrainFinished
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header

CONFIG = TrainConfig(
    epochs=15,
    batch_size=2,
    learning_rate=0.01,
    image_size=16,
    patch_slices=8,
    precision="float32",
    valid_fraction=0.3,
    model=ModelConfig(dimensions=3, width=4, depth=2),
)


def scan(seed: int, shape: tuple[int, int, int] = (11, 30, 27)) -> tuple[Scan, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    low = [int(rng.integers(1, n // 3)) for n in shape]
    mask[tuple(slice(a, a + n // 2) for a, n in zip(low, shape, strict=True))] = 1
    data = (mask * 100 + rng.integers(20, 60, shape)).astype(np.uint8)
    return Scan(data, "ZYX"), mask


def volumes(count: int = 4) -> SampleSet:
    from dataclasses import replace

    samples = []
    for seed in range(count):
        sample = volume_sample(*scan(seed))
        samples.append(replace(sample, name=f"v{seed}", group=f"v{seed}"))
    return SampleSet(tuple(samples), (Category(id=1, name="block"),), "blocks")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    return list(engine.train(CONFIG, volumes(), run))[-1]


def test_a_unet_of_volumes_learns_and_predicts_on_the_scans_grid(model):
    assert isinstance(model, TrainFinished) and model.valid_dice > 0.9
    header = read_header(model.best)
    assert (header.model.dimensions, header.image_size, header.patch_slices) == (3, 16, 8)
    new, truth = scan(99)
    config = PredictConfig(precision="float32", probabilities=True, uncertainty=True)
    events = list(engine.predict(config, model.best, new))
    result = events[-1]
    assert isinstance(result, PredictFinished)
    assert result.labels.shape == truth.shape
    assert result.probabilities.shape == (1, *truth.shape)
    assert result.uncertainty.shape == truth.shape
    both = np.count_nonzero(result.labels & truth)
    assert 2 * both / (result.labels.sum() + truth.sum()) > 0.9
    tiles = [e for e in events if isinstance(e, TileDone)]
    assert tiles[-1].index == tiles[-1].count == len(tiles) > 1


@pytest.mark.parametrize("shape", [(3, 17, 40), (8, 16, 16), (5, 16, 19)])
def test_volumes_smaller_than_a_patch_are_predicted(model, shape):
    small = Scan(np.random.default_rng(0).integers(1, 255, shape).astype(np.uint8), "ZYX")
    *_, result = engine.predict(PredictConfig(precision="float32"), model.best, small)
    assert result.labels.shape == shape


def test_volumes_along_time_are_predicted_one_by_one(model):
    one, _ = scan(3)
    both = Scan(np.stack([one.data, one.data]), "TZYX")
    config = PredictConfig(precision="float32")
    *_, single = engine.predict(config, model.best, one)
    *_, result = engine.predict(config, model.best, both)
    assert all(np.array_equal(labels, single.labels) for labels in result.labels)


def test_a_slice_is_no_volume(model):
    with pytest.raises(DataError, match="takes volumes; choose a model of slices"):
        list(engine.predict(PredictConfig(), model.best, Scan(np.ones((30, 30)), "YX")))


def test_volumes_are_evaluated(model):
    *_, result = engine.evaluate_samples(model.best, volumes(), PredictConfig(precision="float32"))
    assert isinstance(result, Evaluated) and result.dice > 0.9 and result.samples == 4


@pytest.mark.parametrize(
    "changes",
    [{"architecture": "vnet"}, {"attention": True, "residual": True, "deep_supervision": True}],
    ids=str,
)
def test_other_networks_of_volumes_train(changes, tmp_path):
    config = CONFIG.replace(epochs=1, model=CONFIG.model.replace(**changes))
    finished = list(engine.train(config, volumes(2), tmp_path))[-1]
    *_, result = engine.predict(PredictConfig(precision="float32"), finished.best, scan(9)[0])
    assert result.labels.shape == (11, 30, 27)


def test_unreviewed_slices_do_not_count():
    known, mask = scan(0)
    sample = volume_sample(known, mask, [4, 5])
    assert set(np.unique(sample.mask[[4, 5]])) == {0, 1}
    assert (np.delete(sample.mask, [4, 5], axis=0) == 255).all()


def test_a_folder_of_nifti_volumes_is_a_data_set(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
    for seed in range(3):
        known, mask = scan(seed)
        for kind, array in (("images", known.data), ("masks", mask)):
            path = tmp_path / "set" / kind / f"case{seed}.nii.gz"
            nib.save(nib.Nifti1Image(array.T, np.eye(4)), path)
    changes = ["epochs=1", "image_size=16", "patch_slices=8", "batch_size=2"]
    changes += ["model.dimensions=3", "model.width=4", "model.depth=2"]
    run = tmp_path / "run"
    options = [word for change in changes for word in ("--set", change)]
    assert main(["train", str(tmp_path / "set"), "--out", str(run), *options]) == 0
    assert read_header(run / "best.safetensors").model.dimensions == 3


def test_a_network_of_slices_refuses_volumes(tmp_path):
    flat = CONFIG.replace(model=CONFIG.model.replace(dimensions=2))
    with pytest.raises(DataError, match=r"v0 is a volume .* set model.dimensions to 3"):
        list(engine.train(flat, volumes(), tmp_path))
