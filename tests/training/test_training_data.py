"""Which samples a network of prompts is trained and validated on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from napari_unet_seg import engine
from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import TrainStarted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.training.replay import draw, previous_samples
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.data.samples import Split

CONFIG = TrainConfig(
    epochs=1,
    batch_size=2,
    image_size=32,
    patch_slices=8,
    precision="float32",
    twins=False,
    model=ModelConfig(width=4, depth=2, prompts=True),
)
VOLUMES = CONFIG.replace(model=CONFIG.model.replace(dimensions=3))
"""Settings of a training on volumes."""


def volume(full: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Noise of eight slices, and its labels: an object on some of them, 0 for none."""
    image = np.random.default_rng(0).integers(1, 255, (8, 32, 32)).astype(np.uint8)
    labels = np.zeros_like(image)
    labels[list(full), 8:20, 8:20] = 1
    return image, labels


def slices(name: str, split: Split, full: tuple[int, ...]) -> tuple[Sample, ...]:
    image, labels = volume(full)
    samples = samples_from_scan(Scan(image, "ZYX"), labels)
    return tuple(replace(s, name=f"{name}{n}", split=split) for n, s in enumerate(samples))


def sample_set(*parts: tuple[Sample, ...]) -> SampleSet:
    samples = tuple(sample for part in parts for sample in part)
    return SampleSet(samples, (Category(id=1, name="tumour"),), "noise", confirmed=True)


SLICES = sample_set(slices("t", "train", (4,)), slices("v", "valid", (2, 3)))


def trained(config: TrainConfig, samples: SampleSet, run: Path, **more: Any) -> TrainStarted:
    events = engine.train(config, samples, run, **more)
    (started,) = (e for e in events if isinstance(e, TrainStarted))
    return started


def test_a_network_of_prompts_sees_no_empty_slice_but_those_beside_an_object(
    tmp_path: Path,
) -> None:
    started = trained(CONFIG, SLICES, tmp_path)
    split = json.loads((tmp_path / "split.json").read_text())
    assert (split["train"], split["valid"]) == (["t3", "t4", "t5"], ["v2", "v3"])
    assert sorted(split["left_out"]) == sorted(
        {s.name for s in SLICES.samples} - {*split["train"], *split["valid"]}
    )
    assert (started.train, started.valid, started.steps) == (3, 2, 2)
    assert started.notes == (
        "Left out: 11 samples without an object, where prompts have nothing to mark.",
    )


def test_another_network_sees_them_all(tmp_path: Path) -> None:
    config = CONFIG.replace(model=CONFIG.model.replace(prompts=False))
    started = trained(config, SLICES, tmp_path)
    assert (started.train, started.valid, started.steps, started.notes) == (8, 8, 4, ())
    assert json.loads((tmp_path / "split.json").read_text()).keys() == {"train", "valid"}


def test_a_resumed_training_leaves_the_same_out(tmp_path: Path) -> None:
    trained(CONFIG, SLICES, tmp_path)
    last = tmp_path / "last.safetensors"
    started = trained(CONFIG.replace(epochs=2), SLICES, tmp_path, resume=last)
    assert (started.train, started.valid) == (3, 2)


def test_empty_volumes_are_left_out(tmp_path: Path) -> None:
    kinds: dict[str, tuple[Split, tuple[int, ...]]]
    kinds = {"a": ("train", (4,)), "b": ("train", ()), "c": ("valid", (1,)), "d": ("valid", ())}
    samples = tuple(
        Sample(name, *volume(full), name, split=split) for name, (split, full) in kinds.items()
    )
    trained(VOLUMES, sample_set(samples), tmp_path)
    assert Run(tmp_path).split() == {"train": ["a"], "valid": ["c"], "left_out": ["b", "d"]}


@pytest.mark.parametrize("config", [CONFIG, VOLUMES])
def test_data_without_any_object_are_refused(tmp_path: Path, config: TrainConfig) -> None:
    image, labels = volume(())
    samples = slices("t", "train", ())
    if config is VOLUMES:
        samples = (Sample("t", image, labels, "t", split="train"),)
    with pytest.raises(DataError, match="No training mask of noise has a labelled pixel; annotate"):
        trained(config, sample_set(samples), tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> SampleSet:
    """A folder of slices whose masks name no category."""
    image, labels = volume((0, 1, 5))
    for part, planes in (("images", image), ("masks", labels)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for number, plane in enumerate(planes):
            tifffile.imwrite(tmp_path / "data" / part / f"{number}.tif", plane)
    return replace(open_dataset(tmp_path / "data"), confirmed=True)


def test_masks_that_took_the_category_of_the_model_are_found_again(
    stored: SampleSet, tmp_path: Path
) -> None:
    config = CONFIG.replace(model=CONFIG.model.replace(prompts=False))
    lesion = (Category(id=1, name="cyst", supercategory="lesion"),)
    first, second = tmp_path / "first", tmp_path / "second"
    trained(config, replace(stored, categories=lesion), first)
    trained(config, stored, second, init=first / "best.safetensors")
    best = second / "best.safetensors"
    assert read_header(best).categories == lesion
    for folder in (None, tmp_path / "data"):
        earlier = previous_samples(best, read_header(best), folder)
        assert earlier is not None and earlier.categories == lesion


def test_what_was_left_out_is_not_replayed(stored: SampleSet, tmp_path: Path) -> None:
    best = tmp_path / "run" / "best.safetensors"
    config = CONFIG.replace(valid_fraction=0)
    trained(config, stored, best.parent)
    earlier = previous_samples(best, read_header(best), None)
    assert earlier is not None
    drawn = [s.name for s in draw(earlier, "train", 8, seed=0)]
    assert drawn == ["0 (earlier)", "1 (earlier)", "5 (earlier)"]
