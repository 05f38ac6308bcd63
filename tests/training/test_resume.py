"""A training that is killed and resumed ends as if it had never been killed."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import killable
import numpy as np
import pytest
import torch

from napari_unet_seg import engine
from napari_unet_seg.config import AugmentConfig, Category, ModelConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError, WriteError
from napari_unet_seg.nn.checkpoint import load_tensors

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

CONFIG = TrainConfig(
    epochs=6,
    batch_size=2,
    image_size=32,
    ema=0.9,
    deterministic=True,
    threads=1,
    preview_every=0,
    augment=AugmentConfig(elastic=True, noise=True, blur=True, bias_field=True),
    model=ModelConfig(width=4, depth=2, dropout=0.3, deep_supervision=True),
)


def samples(count: int = 14) -> SampleSet:
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        image = rng.integers(1, 255, (32, 32)).astype(np.uint8)
        made.append(Sample(f"s{number}", image, (image > 128).astype(np.uint8), f"s{number}"))
    return SampleSet(tuple(made), (Category(id=1, name="bright"),), "noise")


def training(run: Path) -> AbstractContextManager[tuple[BaseProcess, Connection]]:
    """A training of a process of its own, or the rest of it."""
    return killable.started(killable.train, CONFIG, samples(), run)


def go_on(pipe: Connection, events: int = 10_000) -> int:
    """Let a training go on by so many events, or to its end; return how many there were."""
    for seen in range(events):
        try:
            pipe.recv()
        except EOFError:
            return seen
        pipe.send("on")
    return events


def same_tensors(one: Path, other: Path) -> bool:
    (_, first), (_, second) = load_tensors(one), load_tensors(other)
    return first.keys() == second.keys() and all(
        torch.equal(v, second[k]) for k, v in first.items()
    )


def history(run: Path) -> list[str]:
    """All figures but the seconds."""
    return [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()]


def test_killed_at_any_moment_and_resumed_it_ends_the_same(tmp_path):
    with training(tmp_path / "whole") as (process, pipe):
        total = go_on(pipe)
        process.join()
    assert process.exitcode == 0
    rng = np.random.default_rng(1)
    for events in (4, total // 3, total // 3):
        with training(tmp_path / "cut") as (process, pipe):
            assert go_on(pipe, events) == events
            time.sleep(rng.uniform(0, 0.05))  # somewhere in the work for the next event
        assert process.exitcode == -signal.SIGKILL
    with training(tmp_path / "cut") as (process, pipe):
        go_on(pipe)
        process.join()
    assert process.exitcode == 0
    for name in ("best.safetensors", "last.safetensors"):
        assert same_tensors(tmp_path / "whole" / name, tmp_path / "cut" / name)
    assert history(tmp_path / "whole") == history(tmp_path / "cut")


def test_the_precision_of_the_first_part_is_kept(tmp_path):
    config = CONFIG.replace(epochs=1, precision="bfloat16")
    list(engine.train(config, samples(), tmp_path))
    resumed = CONFIG.replace(epochs=2, precision="float32")
    list(engine.train(resumed, samples(), tmp_path, resume=tmp_path / "last.safetensors"))
    info, _ = load_tensors(tmp_path / "last.safetensors")
    assert info.epoch == 2 and info.summary["precision"] == "bfloat16"


def test_the_split_is_the_runs_own(tmp_path):
    list(engine.train(CONFIG.replace(epochs=1), samples(), tmp_path))
    before = json.loads((tmp_path / "split.json").read_text())
    other = CONFIG.replace(epochs=2, valid_fraction=0.5, seed=7)
    events = list(engine.train(other, samples(), tmp_path, resume=tmp_path / "last.safetensors"))
    assert next(e for e in events if hasattr(e, "steps")).train == len(before["train"])


def test_other_data_are_refused(tmp_path):
    list(engine.train(CONFIG.replace(epochs=1), samples(), tmp_path))
    with pytest.raises(DataError, match=r"s14 is only in one of the two"):
        list(engine.train(CONFIG, samples(15), tmp_path, resume=tmp_path / "last.safetensors"))


@pytest.mark.parametrize(
    "name",
    ["config.yaml", "split.json", "history.csv", "best.safetensors", "last.safetensors", "preview"],
)
def test_a_link_out_of_the_folder_of_a_run_is_refused_before_training(tmp_path: Path, name: str):
    (tmp_path / "run").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "outside" / name)
    with pytest.raises(WriteError, match=f"{name} leads by a link to .*; remove the link"):
        next(engine.train(CONFIG, samples(), tmp_path / "run"))
    assert not any((tmp_path / "outside").iterdir())
