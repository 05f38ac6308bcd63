"""Kills in training and fine-tuning: in the engine, of the engine's process, of the program."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from benchmarks.reliability import inputs
from benchmarks.reliability.work.work import Found, Work, hidden_files
from napari_unet_seg.io.hashing import sha256

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = "train.yaml"


def _prepare(folder: Path, tell: Any) -> None:
    """Write the data, the settings, and the run that nobody kills."""
    folder.mkdir()
    inputs.pairs(folder / "data")
    inputs.train_config().to_file(folder / _SETTINGS)
    _train(folder, "calm", tell)


def _train(folder: Path, run: str, tell: Any, *, resume: bool = False) -> None:
    from napari_unet_seg.data.dataset import open_dataset
    from napari_unet_seg.engine import train
    from napari_unet_seg.events import CheckpointSaved

    samples = open_dataset(folder / "data")
    last = folder / run / "last.safetensors"
    resumed = last if resume and last.is_file() else None
    for event in train(inputs.train_config(), samples, folder / run, resume=resumed):
        if isinstance(event, CheckpointSaved) and event.kind == "last":
            tell(event.epoch)


def _run(folder: Path, tell: Any) -> None:
    _train(folder, "run", tell)


def _check(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    epochs = [word for word in told if isinstance(word, int)]
    _check_run(folder / "run", max(epochs, default=0), found)
    _train(folder, "run", lambda _: None, resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        same = _same_tensors(folder / "calm" / name, folder / "run" / name)
        found.expect(same, f"{name} of the resumed run is not that of a run in one piece")
    histories = [_history(folder / run) for run in ("calm", "run")]
    found.expect(histories[0] == histories[1], "the history differs from that of one piece")
    found.litter = hidden_files(folder)
    tell(found)


def _check_run(run: Path, epoch: int, found: Found) -> None:
    """Every file is whole, and the last checkpoint is of the epoch that was told or later."""
    from napari_unet_seg.nn.checkpoint import load_net, load_tensors

    if (run / "best.safetensors").exists():
        load_net(run / "best.safetensors")
    found.expect(not epoch or (run / "best.safetensors").exists(), "there is no best model")
    stored = 0
    if (run / "last.safetensors").exists():
        stored = load_tensors(run / "last.safetensors")[0].epoch
    found.expect(stored >= epoch, f"epoch {epoch} was stored, and {stored} is there")
    if (run / "history.csv").exists():
        found.expect(len(_history(run)) > stored, "rows of the history are missing")


def _same_tensors(one: Path, other: Path) -> bool:
    import torch

    from napari_unet_seg.nn.checkpoint import load_tensors

    (_, first), (_, second) = load_tensors(one), load_tensors(other)
    same = (torch.equal(v, second[k]) for k, v in first.items() if k in second)
    return first.keys() == second.keys() and all(same)


def _history(run: Path) -> list[list[str]]:
    """All rows without the seconds."""
    with (run / "history.csv").open(newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def _program(folder: Path, tell: Any) -> None:
    from napari_unet_seg.cli import main

    names = [str(folder / name) for name in ("data", "run", _SETTINGS)]
    code = main(["train", names[0], "--out", names[1], "--config", names[2]])
    tell(f"exit {code}")


def _tune(folder: Path, run: str) -> None:
    from napari_unet_seg.data.dataset import open_dataset
    from napari_unet_seg.training.fine_tune import fine_tune

    samples = open_dataset(folder / "data")
    start = folder / "base.safetensors"
    for _ in fine_tune(inputs.tune_config(), start, samples, folder / run, inputs.direct):
        pass


def _prepare_tune(folder: Path, tell: Any) -> None:
    folder.mkdir()
    inputs.pairs(folder / "data")
    inputs.model(folder / "base.safetensors")
    (folder / "base.sha256").write_text(sha256(folder / "base.safetensors"))
    _tune(folder, "calm")


def _run_tune(folder: Path, tell: Any) -> None:
    _tune(folder, "run")
    tell("tuned")


def _check_tune(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    whole = sha256(folder / "base.safetensors") == (folder / "base.sha256").read_text()
    found.expect(whole, "the model it started from has changed")
    _check_run(folder / "run", 0, found)
    _tune(folder, "run")
    for name in ("best.safetensors", "last.safetensors"):
        same = _same_tensors(folder / "calm" / name, folder / "run" / name)
        found.expect(same, f"{name} of the second try differs")
    found.litter = hidden_files(folder)
    tell(found)


WORKS = (
    Work("training: the engine", 120, _prepare, _run, _check),
    Work("training: the engine's process alone", 30, _prepare, _program, _check, "child"),
    Work("training: the program with its engine", 40, _prepare, _program, _check),
    Work("fine-tuning", 60, _prepare_tune, _run_tune, _check_tune),
)
