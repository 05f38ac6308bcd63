"""A training that is killed and resumed ends as if it had never been killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_unet_seg import engine
from napari_unet_seg.config import AugmentConfig, Category, ModelConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError, WriteError
from napari_unet_seg.nn.checkpoint import load_tensors

if TYPE_CHECKING:
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

TRAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_resume import CONFIG, samples
from napari_unet_seg import engine
run = Path(sys.argv[2])
last = run / "last.safetensors"
for event in engine.train(CONFIG, samples(), run, resume=last if last.exists() else None):
    print(type(event).__name__, flush=True)
"""


def samples(count: int = 14) -> SampleSet:
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        image = rng.integers(1, 255, (32, 32)).astype(np.uint8)
        made.append(Sample(f"s{number}", image, (image > 128).astype(np.uint8), f"s{number}"))
    return SampleSet(tuple(made), (Category(id=1, name="bright"),), "noise")


def begin(run: Path) -> subprocess.Popen[str]:
    folder = str(__file__).rsplit("/", 1)[0]
    command = [sys.executable, "-c", TRAIN, folder, str(run)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def read_until(process: subprocess.Popen[str], events: int) -> int:
    """Read so many events, or all; returns how many there were."""
    assert process.stdout is not None
    seen = 0
    while seen < events and process.stdout.readline():
        seen += 1
    return seen


def same_tensors(one: Path, other: Path) -> bool:
    (_, first), (_, second) = load_tensors(one), load_tensors(other)
    return first.keys() == second.keys() and all(
        torch.equal(v, second[k]) for k, v in first.items()
    )


def history(run: Path) -> list[str]:
    """All figures but the seconds."""
    return [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()]


def test_killed_at_any_moment_and_resumed_it_ends_the_same(tmp_path):
    with begin(tmp_path / "whole") as process:
        total = read_until(process, 10_000)
    assert process.returncode == 0
    rng = np.random.default_rng(1)
    kills = 0
    for left in (4, total // 3, total // 3, 10_000):
        with begin(tmp_path / "cut") as process:
            read_until(process, left)
            time.sleep(rng.uniform(0, 0.05))  # somewhere between two events
            process.kill()
        kills += process.returncode == -9
    assert kills == 3
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
