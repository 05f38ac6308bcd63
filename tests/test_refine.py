"""A network that follows prompts: trained by the engine, asked through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import ndimage
from small_gpu import pretend_gpu
from streams import here

from napari_unet_seg import engine
from napari_unet_seg.config import Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.prompts.marks import NEGATIVE, PREVIOUS
from napari_unet_seg.data.prompts.simulation import click_maps
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import CheckpointError, DataError
from napari_unet_seg.events import DeviceFallback, EpochEnd, Evaluated, Refined, TrainFinished
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.checkpoint import load_net, load_tensors
from napari_unet_seg.training.fine_tune import fine_tune

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = TrainConfig(
    epochs=24,
    batch_size=4,
    image_size=64,
    precision="float32",
    threads=1,
    device="cpu",
    learning_rate=1e-2,
    twins=False,
    model=ModelConfig(width=6, depth=3, prompts=True),
)
SHORT = CONFIG.replace(epochs=2, model=CONFIG.model.replace(width=4))
AS_IT_IS = PredictConfig(device="cpu", precision="float32")
SIDES = (Category(id=1, name="left"), Category(id=2, name="right"))


def two_discs(number: int) -> Sample:
    """Two discs of the same grey, each of a category of its own."""
    rng = np.random.default_rng(number)
    y, x = np.ogrid[:64, :64]
    mask = np.zeros((64, 64), np.uint8)
    for value, middle in ((1, 16), (2, 48)):
        centre = rng.uniform(18, 46), middle + rng.uniform(-3, 3)
        mask[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 < rng.uniform(6, 12) ** 2] = value
    image = np.where(mask > 0, 200, 80) + rng.normal(0, 8, (64, 64))
    side = "valid" if number % 4 == 3 else "train"
    return Sample(f"s{number}", image.clip(0, 255).astype(np.uint8), mask, f"s{number}", side)


def discs(count: int) -> SampleSet:
    return SampleSet(tuple(map(two_discs, range(count))), SIDES, "discs")


def refined(checkpoint: Path, image: np.ndarray, maps: np.ndarray, axes: str = "YX") -> np.ndarray:
    """The whole mask that the network answers with."""
    scan = Scan(image, axes)
    (event,) = engine.refine(AS_IT_IS, checkpoint, scan, maps[:PREVIOUS], maps[PREVIOUS])
    assert isinstance(event, Refined) and event.probabilities.dtype == np.float16
    mask = np.zeros(image.shape, bool)
    mask[event.window] = event.mask
    return mask


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> TrainFinished:
    return list(engine.train(CONFIG, discs(40), tmp_path_factory.mktemp("run")))[-1]


@pytest.fixture
def untrained(make_checkpoint) -> Path:
    return make_checkpoint(prompts=True)


def test_categories_are_meant_by_prompts_not_by_logits(trained):
    header = read_header(trained.best)
    assert header.model.prompts and header.model.channels == 5
    assert (header.model.classes, header.model.head) == (1, "sigmoid")
    assert header.categories == SIDES
    assert trained.valid_dice > 0.85


@pytest.mark.parametrize("value", [1, 2])
def test_a_click_chooses_between_things_that_look_alike(trained, value):
    sample = two_discs(3)
    found = refined(trained.best, sample.image, click_maps(sample.mask == value))
    assert dice(found, sample.mask == value) > 0.8
    other = sample.mask == 3 - value
    assert (found & other).sum() < 0.1 * other.sum()


def test_a_large_image_is_cut_around_the_prompts(trained):
    sample = two_discs(3)
    # as large a share of the image as the network's finest view allows
    image = np.random.default_rng(0).normal(80, 8, (96, 96)).clip(0, 255).astype(np.uint8)
    truth = np.zeros((96, 96), bool)
    image[30:94, 20:84], truth[30:94, 20:84] = sample.image, sample.mask == 1
    found = refined(trained.best, image, click_maps(truth))
    assert dice(found, truth) > 0.75


def test_the_mask_so_far_and_a_negative_prompt_count(trained):
    sample = two_discs(3)
    maps = click_maps(sample.mask == 1)
    maps[PREVIOUS] = sample.mask > 0
    both = refined(trained.best, sample.image, maps)
    maps[NEGATIVE] = ndimage.binary_erosion(sample.mask == 2, iterations=3)
    one = refined(trained.best, sample.image, maps)
    assert (both & (sample.mask == 2)).sum() > (one & (sample.mask == 2)).sum()
    assert (one & (sample.mask == 1)).any()


def test_it_is_measured_after_a_click_for_each_category(trained):
    samples = discs(8)
    events = list(engine.evaluate_samples(trained.best, samples, AS_IT_IS))
    assert isinstance(events[-1], Evaluated)
    assert events[-1].dice > 0.8 and events[-1].empty == 0


def test_a_resumed_run_goes_on_to_the_same_weights(tmp_path):
    samples = discs(12)
    list(engine.train(SHORT, samples, tmp_path / "whole"))
    for event in engine.train(SHORT, samples, tmp_path / "cut"):
        if isinstance(event, EpochEnd):
            break  # as if killed after the first epoch was written
    last = tmp_path / "cut" / "last.safetensors"
    list(engine.train(SHORT, samples, tmp_path / "cut", resume=last))
    (_, whole), (_, cut) = (
        load_tensors(tmp_path / run / "last.safetensors") for run in ("whole", "cut")
    )
    assert whole.keys() == cut.keys()
    assert all(torch.equal(whole[k], cut[k]) for k in whole)


def test_an_automatic_model_learns_to_follow(make_checkpoint, tmp_path):
    base = make_checkpoint(width=4, depth=3)
    run = list(engine.train(SHORT.replace(epochs=1), discs(8), tmp_path, init=base))[-1]
    header, net = load_net(run.last)
    assert header.model.prompts and net.config.channels == 5


def test_fine_tuning_measures_before_and_after(trained, tmp_path):
    config = CONFIG.replace(epochs=1, learning_rate=1e-4, model=ModelConfig())
    one = SampleSet(discs(12).samples, (*SIDES, Category(id=3, name="none")), "other categories")
    tuned = list(fine_tune(config, trained.best, one, tmp_path, here))[-1]
    assert read_header(tuned.finished.best).model == read_header(trained.best).model
    assert tuned.new.before > 0.8 and tuned.new.after > 0.8


def test_volumes_are_followed_by_the_same_code(tmp_path):
    mask = np.zeros((12, 32, 32), np.uint8)
    mask[3:9, 8:20, 8:20] = 1
    image = np.where(mask > 0, 180, 60).astype(np.uint8)
    samples = tuple(Sample(str(i), image, mask, str(i)) for i in range(2))
    model = ModelConfig(width=4, depth=2, dimensions=3, prompts=True)
    config = SHORT.replace(image_size=16, patch_slices=8, model=model, valid_fraction=0.5)
    tumour = SampleSet(samples, (Category(id=1, name="tumour"),), "volumes")
    best = list(engine.train(config, tumour, tmp_path))[-1].best
    found = refined(best, image, click_maps(mask == 1), "ZYX")
    assert found.shape == mask.shape
    (warm,) = engine.warm_up(AS_IT_IS, best)
    assert warm.precision == "float32"
    assert list(engine.evaluate_samples(best, tumour, AS_IT_IS))[-1].samples == 2


def test_colour_is_turned_grey(untrained):
    grey = two_discs(3).image
    maps = click_maps(two_discs(3).mask == 1)[:PREVIOUS]
    plain, colour = (
        next(engine.refine(AS_IT_IS, untrained, scan, maps))
        for scan in (Scan(grey, "YX"), Scan(np.stack([grey] * 3, -1), "YXC"))
    )
    np.testing.assert_allclose(plain.probabilities, colour.probabilities, atol=0.02)


def test_memory_that_runs_out_is_told(untrained, monkeypatch):
    image, maps = two_discs(3).image, click_maps(two_discs(3).mask == 1)
    config = AS_IT_IS.replace(device="auto")
    plain = list(engine.refine(config, untrained, Scan(image, "YX"), maps[:PREVIOUS]))[-1]
    pretend_gpu(monkeypatch, untrained, "logits", 1)
    fallback, answer = engine.refine(config, untrained, Scan(image, "YX"), maps[:PREVIOUS])
    assert isinstance(fallback, DeviceFallback) and "GPU ran out of memory" in fallback.message
    np.testing.assert_array_equal(answer.mask, plain.mask)


def test_it_finds_nothing_by_itself(untrained):
    with pytest.raises(DataError, match="follows prompts alone"):
        list(engine.predict(AS_IT_IS, untrained, Scan(two_discs(0).image, "YX")))


def test_an_automatic_model_follows_no_prompts(make_checkpoint):
    image = Scan(two_discs(0).image, "YX")
    with pytest.raises(CheckpointError, match="does not follow prompts"):
        list(engine.refine(AS_IT_IS, make_checkpoint(), image, np.zeros((3, 64, 64), bool)))


@pytest.mark.parametrize(
    ("scan", "shape", "previous", "message"),
    [
        (Scan(np.zeros((4, 64, 64)), "ZYX"), (3, 4, 64, 64), None, "follows prompts on a slice"),
        (Scan(np.zeros((64, 64)), "YX"), (3, 64, 60), None, r"give prompts of \(3, 64, 64\)"),
        (Scan(np.zeros((64, 64)), "YX"), (3, 64, 64), (32, 64), "have the shapes"),
    ],
)
def test_what_does_not_fit_is_refused(untrained, scan, shape, previous, message):
    before = None if previous is None else np.zeros(previous, bool)
    with pytest.raises(DataError, match=message):
        list(engine.refine(AS_IT_IS, untrained, scan, np.zeros(shape, bool), before))


def test_channels_that_do_not_fit_are_refused(make_checkpoint):
    path, image = make_checkpoint(prompts=True, in_channels=2), Scan(np.zeros((64, 64)), "YX")
    with pytest.raises(DataError, match="1 channels and the model takes 2"):
        list(engine.refine(AS_IT_IS, path, image, np.zeros((3, 64, 64), bool)))


def test_the_answers_on_several_sequences_are_averaged(trained) -> None:
    first, second = (two_discs(number) for number in (40, 41))
    maps = click_maps(first.mask == 1)

    def probable(sample: Sample, *others: Sample) -> np.ndarray:
        further = [(Scan(other.image, "YX"), None) for other in others]
        scan = Scan(sample.image, "YX")
        (event,) = engine.refine(AS_IT_IS, trained.best, scan, maps[:PREVIOUS], others=further)
        assert isinstance(event, Refined)
        assert (event.mask == (event.probabilities >= 0.5)).mean() > 0.99
        return event.probabilities.astype(float)

    mean = (probable(first) + probable(second)) / 2
    np.testing.assert_allclose(probable(first, second), mean, atol=2e-3)


def test_a_sequence_of_another_grid_is_refused(trained) -> None:
    first = two_discs(40)
    other = Scan(np.zeros((64, 60), np.uint8), "YX")
    maps = click_maps(first.mask == 1)[:PREVIOUS]
    scan = Scan(first.image, "YX")
    with pytest.raises(DataError, match="give sequences of one grid"):
        next(engine.refine(AS_IT_IS, trained.best, scan, maps, others=[(other, None)]))
