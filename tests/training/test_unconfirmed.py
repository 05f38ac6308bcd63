"""A training on masks that can hardly be meant asks before its first step."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg import engine
from napari_unet_seg.config import Category, ModelConfig, TrainConfig, numbered_categories
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import UnconfirmedError
from napari_unet_seg.events import TrainFinished
from napari_unet_seg.training.fine_tune import union

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = TrainConfig(
    epochs=1,
    batch_size=2,
    image_size=64,
    threads=1,
    preview_every=0,
    twins=False,
    model=ModelConfig(width=4, depth=1),
)
LESION = (Category(id=1, name="lesion"),)


def sample_set(pixels: int, categories=LESION, shape=(64, 64)) -> SampleSet:
    """Four samples with so many labelled pixels."""
    rng, made = np.random.default_rng(0), []
    for number in range(4):
        mask = np.zeros(shape, np.uint8)
        mask.reshape(-1)[2000 : 2000 + pixels] = 1
        image = rng.integers(1, 255, shape).astype(np.uint8)
        made.append(Sample(f"s{number}", image, mask, f"s{number}"))
    return SampleSet(tuple(made), categories, "dots")


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (sample_set(4), r"dots: .*thousandth of every slice.*lesion \(at most 0.00098\)"),
        (sample_set(50, numbered_categories(128)), "dots: .*name no categories.* 128"),
    ],
)
def test_doubtful_masks_are_trained_on_only_if_confirmed(
    tmp_path: Path, samples: SampleSet, words: str
) -> None:
    with pytest.raises(UnconfirmedError, match=words):
        list(engine.train(CONFIG, samples, tmp_path / "run"))
    assert not (tmp_path / "run" / "config.yaml").exists()
    *_, last = engine.train(CONFIG, replace(samples, confirmed=True), tmp_path / "run")
    assert isinstance(last, TrainFinished)
    longer = CONFIG.replace(epochs=2)
    *_, last = engine.train(
        longer, samples, tmp_path / "run", resume=tmp_path / "run/last.safetensors"
    )
    assert isinstance(last, TrainFinished)


def test_small_lesions_that_fill_a_thousandth_once_are_not_asked_about(tmp_path: Path) -> None:
    samples = sample_set(3)
    larger = sample_set(5).samples[0]
    samples = replace(samples, samples=(larger, *samples.samples[1:]))
    *_, last = engine.train(CONFIG, samples, tmp_path / "run")
    assert isinstance(last, TrainFinished)


def test_volumes_are_looked_at_by_slice(tmp_path: Path) -> None:
    config = CONFIG.replace(
        model=ModelConfig(width=4, depth=1, dimensions=3), image_size=16, patch_slices=8
    )
    with pytest.raises(UnconfirmedError, match="thousandth of every slice"):
        list(engine.train(config, sample_set(3, shape=(4, 64, 64)), tmp_path / "run"))


def test_a_joined_set_is_confirmed_if_each_is() -> None:
    one, other = (replace(sample_set(4), confirmed=c) for c in (True, False))
    assert union([one, one]).confirmed and not union([one, other]).confirmed


def test_the_error_comes_whole_out_of_a_child_process() -> None:
    error = pickle.loads(pickle.dumps(UnconfirmedError("All is small.")))
    assert error.doubts == "All is small." and "confirmed" in str(error)
