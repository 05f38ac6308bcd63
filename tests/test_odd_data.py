"""Data sets as users have them: odd ones train in a way that is said, bad ones in no way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import safetensors.torch
import tifffile
from PIL import Image

from napari_unet_seg.cli import main
from napari_unet_seg.models.header import HEADER_KEY, read_header
from napari_unet_seg.nn.checkpoint import load_tensors

if TYPE_CHECKING:
    from pathlib import Path

TINY = ("image_size=32", "model.width=4", "model.depth=2", "threads=1", "precision=float32")


@dataclass
class Folder:
    """A data set of `images/` and `masks/`."""

    path: Path
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def add(
        self,
        name: str,
        on: int = 1,
        size: tuple[int, int] = (40, 36),
        channels: int = 0,
        holes: bool = False,
    ) -> None:
        image = self.random.integers(1, 90, size + ((channels,) if channels else ()))
        mask = np.zeros(size, np.uint8)
        mask[8:20, 10:22] = on
        image[mask > 0] += 120
        for part in ("images", "masks"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(self.path / "masks" / f"{name}.png")
        if holes:
            broken = image.astype(np.float32)
            broken[::7, ::5] = np.nan
            tifffile.imwrite(self.path / "images" / f"{name}.tif", broken)
        else:
            Image.fromarray(image.astype(np.uint8)).save(self.path / "images" / f"{name}.png")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data")


def train(folder: Folder, *more: str, run: str = "run") -> int:
    out = folder.path.parent / run
    settings = [part for value in (*TINY, *more) for part in ("--set", value)]
    given = ["train", str(folder.path), "--out", str(out), "--epochs", "2", "--device", "cpu"]
    return main([*given, "--json", *settings])


def events(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """The last event of every kind."""
    lines = capsys.readouterr().out.splitlines()
    return {event["event"]: event for event in map(json.loads, lines)}


def refusal(capsys: pytest.CaptureFixture[str], folder: Folder) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    assert not (folder.path.parent / "run" / "best.safetensors").exists()
    return line


def test_one_scan_is_trained_on_and_nothing_is_held_out(folder, capsys):
    folder.add("only")
    assert train(folder) == 0
    told = events(capsys)
    assert (told["TrainStarted"]["train"], told["TrainStarted"]["valid"]) == (1, 0)
    assert told["TrainStarted"]["notes"] == [
        "No scan is held out, so the training loss chooses the best checkpoint."
    ]
    assert told["TrainFinished"]["valid_dice"] is None


def test_no_validation_on_request(folder, capsys):
    for name in "abcd":
        folder.add(name)
    assert train(folder, "valid_fraction=0") == 0
    assert events(capsys)["TrainStarted"]["valid"] == 0


def test_a_class_that_training_lacks_is_told(folder, capsys):
    for name, side, on in (("a", "train", 2), ("b", "train", 2), ("c", "valid", 1)):
        Folder(folder.path / side).add(name, on)
    assert train(folder) == 0
    told = events(capsys)["TrainStarted"]["notes"][-1]
    assert told == "No training mask holds label 1: the net cannot learn it."


@pytest.mark.parametrize(
    ("on", "names", "notes"),
    [
        (255, ["foreground"], []),
        (1, ["foreground"], []),
        (2, ["label 1", "label 2"], ["No training mask holds label 1: the net cannot learn it."]),
    ],
)
def test_masks_of_one_value(folder, capsys, on, names, notes):
    for name in "abcdef":
        folder.add(name, on)
    assert train(folder) == 0
    told = events(capsys)
    assert told["TrainStarted"]["notes"] == notes
    info = read_header(folder.path.parent / "run" / "best.safetensors")
    assert [c.name for c in info.categories] == names
    assert told["EpochEnd"]["train_loss"] < 5


def test_sizes_and_channels_may_differ_for_a_grey_net(folder, capsys):
    folder.add("grey")
    folder.add("wide", size=(30, 90))
    folder.add("colour", channels=3)
    folder.add("with_alpha", channels=4)
    assert train(folder) == 0
    assert events(capsys)["TrainStarted"]["train"] == 3


def test_other_channels_than_the_nets_are_refused(folder, capsys):
    folder.add("colour", channels=3)
    folder.add("grey")
    assert train(folder, "model.in_channels=3") == 2
    assert "grey has 1 channels and the model takes 3; set in_channels" in refusal(capsys, folder)


def test_pixels_that_are_no_numbers_are_black(folder, capsys):
    for name in "abcd":
        folder.add(name, holes=True)
    assert train(folder) == 0
    assert np.isfinite(events(capsys)["EpochEnd"]["train_loss"])


def test_an_image_smaller_than_the_nets_size_is_enlarged(folder, capsys):
    for name in "ab":
        folder.add(name, size=(24, 22))
    assert train(folder, "image_size=64") == 0
    assert events(capsys)["TrainStarted"]["train"] == 1


def test_a_volume_smaller_than_a_patch_is_surrounded(tmp_path, capsys):
    folder = Folder(tmp_path / "data")
    for name in "ab":
        mask = np.zeros((20, 24, 6), np.uint8)
        mask[4:12, 4:12, 2:4] = 1
        image = folder.random.integers(1, 90, mask.shape) + 100 * mask
        for part, array in (("images", image.astype(np.int16)), ("masks", mask)):
            (folder.path / part).mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), folder.path / part / f"{name}.nii")
    assert train(folder, "model.dimensions=3", "patch_slices=16") == 0
    assert np.isfinite(events(capsys)["EpochEnd"]["valid_loss"])


def test_a_batch_larger_than_the_set_is_one_step(folder, capsys):
    for name in "abc":
        folder.add(name)
    assert train(folder, "batch_size=100") == 0
    assert events(capsys)["BatchEnd"]["steps"] == 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model.widht=4", "there is no setting model.widht; did you mean model.width?"),
        ("image_size=30", "image_size 30 is no multiple of 4"),
        ("freeze=7", "freeze 7 is more than the 3 levels"),
        (
            "model.architecture=vnet --set model.attention=true",
            "attention is an option of the U-Net",
        ),
        ("encoder_weights=resnet.pth", "set model.encoder"),
    ],
)
def test_contradictory_settings_are_refused(folder, capsys, setting, words):
    folder.add("a")
    assert train(folder, *setting.split(" --set ")) == 2
    assert words in refusal(capsys, folder)


def begun(folder: Folder) -> Path:
    for name in "abcd":
        folder.add(name)
    assert train(folder) == 0
    return folder.path.parent / "run"


def resume(folder: Folder, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    run = folder.path.parent / "run"
    arguments = ["train", str(folder.path), "--out", str(run), "--resume", "--epochs", "3"]
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def rewrite(path: Path, change: Any) -> None:
    """Change what a checkpoint says of itself."""
    info, tensors = load_tensors(path)
    described = info.model_dump(mode="json")
    change(described)
    safetensors.torch.save_file(tensors, path, {HEADER_KEY: json.dumps(described)})


def test_a_run_of_an_older_version_is_not_resumed(folder, capsys):
    run = begun(folder)
    rewrite(run / "last.safetensors", lambda d: d["summary"].pop("precision"))
    line = resume(folder, capsys)
    assert f"The run {run} was written by version" in line
    assert "fine-tune its model, or train a new run" in line


def test_a_run_of_a_newer_version_is_not_resumed(folder, capsys):
    run = begun(folder)
    rewrite(run / "last.safetensors", lambda d: d.update(format=2, version="9.0", novelty=1))
    line = resume(folder, capsys)
    assert f"The model {run / 'last.safetensors'} was written by a newer version" in line
    assert "update napari-unet-seg" in line


def test_settings_of_another_version_are_named(folder, capsys):
    run = begun(folder)
    with (run / "config.yaml").open("a") as file:
        file.write("novelty: 1\n")
    assert f"{run / 'config.yaml'}: novelty: there is no such setting" in resume(folder, capsys)
