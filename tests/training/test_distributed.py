"""Several processes train as one does with a batch as large as all of theirs."""

from __future__ import annotations

import csv
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import torch

from napari_unet_seg.cli import main
from napari_unet_seg.config import AugmentConfig, LossConfig, ModelConfig, TrainConfig
from napari_unet_seg.nn.checkpoint import load_tensors

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = TrainConfig(
    epochs=3,
    batch_size=2,
    image_size=32,
    learning_rate=0.01,
    precision="float32",
    threads=1,
    ema=0.9,
    augment=AugmentConfig(translate=False, rotate=False),
    terms=LossConfig(focal=0.5, tversky=0.5, boundary=0.5),
    model=ModelConfig(width=4, depth=2, norm="group", deep_supervision=True),
)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Eleven slices, so that the last batches are uneven, and five held out."""
    rng = np.random.default_rng(0)
    for side, count in (("train", 11), ("valid", 5)):
        for kind in ("images", "masks"):
            (tmp_path / "set" / side / kind).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(1, 255, (32, 32)).astype(np.uint8)
            name = f"{side}{number}.tif"
            tifffile.imwrite(tmp_path / "set" / side / "images" / name, image)
            mask = (image > rng.integers(60, 200)).astype(np.uint8)
            tifffile.imwrite(tmp_path / "set" / side / "masks" / name, mask)
    return tmp_path / "set"


LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def arguments(dataset: Path, out: Path, batch_size: int) -> list[str]:
    settings = out.with_suffix(".yaml")
    CONFIG.replace(batch_size=batch_size).to_file(settings)
    return ["train", str(dataset), "--out", str(out), "--config", str(settings)]


def launched(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the program in two processes."""
    command = [*LAUNCHER, "-m", "napari_unet_seg.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_two_processes_equal_one_with_the_doubled_batch(dataset, tmp_path):
    done = launched(arguments(dataset, tmp_path / "two", 2))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("epoch 3/3") == 1  # the first process alone speaks
    assert main(arguments(dataset, tmp_path / "one", 4)) == 0
    for name in ("best", "last"):
        (_, two), (_, one) = (
            load_tensors(tmp_path / kind / f"{name}.safetensors") for kind in ("two", "one")
        )
        assert two.keys() == one.keys()
        far = {k: float((one[k].float() - two[k].float()).abs().max()) for k in one}
        assert max(far.values()) < 1e-4, max(far, key=lambda k: far[k])
    for first, second in zip(history(tmp_path / "two"), history(tmp_path / "one"), strict=True):
        # of counts, so equal and not only close
        assert first["valid_dice"] == second["valid_dice"]
        assert float(first["train_loss"]) == pytest.approx(float(second["train_loss"]), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1e-9, 0.01])
def test_two_processes_agree_whether_the_model_stays(dataset, tmp_path, rate):
    run = tmp_path / "base"
    assert main(arguments(dataset, run, 4)) == 0
    ends = {}
    for name, batch, start in (("two", 2, launched), ("one", 4, main)):
        settings = tmp_path / f"{name}.yaml"
        CONFIG.replace(batch_size=batch, learning_rate=rate, epochs=2).to_file(settings)
        out = tmp_path / name
        words = ["finetune", str(run), "--data", str(dataset), "--out", str(out)]
        done = start([*words, "--config", str(settings), "--set", "replay=0"])
        assert done == 0 or done.returncode == 0, done.stdout + done.stderr
        info = load_tensors(out / "best.safetensors")[0]
        dices = [dice for _, _, dice in info.summary["progress"]["start_dices"]]
        ends[name] = info.epoch, [info.metrics["valid_dice"], *dices]
    assert ends["two"][0] == ends["one"][0]
    assert ends["two"][1] == pytest.approx(ends["one"][1])
    assert len(ends["two"][1]) == 6
    if rate < 1e-6:
        assert ends["two"][0] == 0


@pytest.mark.slow
def test_more_processes_than_samples_are_told(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        tifffile.imwrite(tmp_path / "set" / kind / "a.tif", np.eye(32, dtype=np.uint8))
    done = launched(arguments(tmp_path / "set", tmp_path / "r", 2))
    assert done.returncode != 0
    assert "2 processes cannot share 1 training samples; start fewer" in done.stderr


def test_one_process_needs_no_launcher():
    from napari_unet_seg.training.distributed import ProcessGroup, join_processes

    processes = join_processes(torch.device("cpu"))
    assert (
        type(processes) is ProcessGroup and processes.size == 1 and processes.all_gather(3) == [3]
    )
