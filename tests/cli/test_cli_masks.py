"""Masks of other programs in the program: what is said of them, and what asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_unet_seg.cli import main
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = ("--epochs", "1", "--device", "cpu", "--set", "image_size=32", "--set", "model.width=4")
TINY += ("--set", "model.depth=1", "--set", "threads=1", "--set", "precision=float32")
TINY += ("--set", "twins=false")


def write_pairs(folder: Path, mask_of: Callable[[np.ndarray], np.ndarray]) -> Path:
    """Write four images, and masks of what `mask_of` makes of a box of 0 and 1."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(4):
        box = np.zeros((48, 48), np.uint8)
        box[4 + 4 * number : 20 + 4 * number, 6:30] = 1
        Image.fromarray(box * 120 + 60).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask_of(box)).save(folder / "masks" / f"{number}.png")
    return folder


def soft(box: np.ndarray) -> np.ndarray:
    return gaussian_filter(box * 255.0, 1.2).astype(np.uint8)


def levels(box: np.ndarray) -> np.ndarray:
    mask = box * np.uint8(128)
    mask[40:44, 40:44] = 255
    return mask


def test_a_net_of_soft_edges_has_one_category_and_the_cut_is_said_once(tmp_path, capsys) -> None:
    data = write_pairs(tmp_path / "data", soft)
    assert main(["train", str(data), "--out", str(tmp_path / "run"), *TINY]) == 0
    said = " ".join(capsys.readouterr())
    assert said.count("soft edges") == 1 and "4 masks with soft edges" in said
    header = read_header(tmp_path / "run" / "best.safetensors")
    assert [category.name for category in header.categories] == ["foreground"]


@pytest.mark.parametrize("command", ["train", "finetune"])
def test_grey_levels_are_trained_on_only_with_yes(tmp_path, capsys, command: str) -> None:
    data = write_pairs(tmp_path / "data", levels)
    run = ["--out", str(tmp_path / "run"), *TINY[:4]]
    arguments = ["train", str(data), "--out", str(tmp_path / "run"), *TINY]
    if command == "finetune":
        arguments = ["finetune", "bundled", "--data", str(data), *run]
    assert main(arguments) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "their labels reach 128" in error and "give --yes to train all the same" in error
    assert "64 pixels of the value 255 in 4 masks left out as not reviewed" in error
    assert not (tmp_path / "run" / "best.safetensors").exists()
    if command == "train":
        assert main([*arguments, "--yes"]) == 0
        said = capsys.readouterr()
        assert "Done after epoch 1" in said.out + said.err


def test_dots_are_asked_about(tmp_path, capsys) -> None:
    def dot(box: np.ndarray) -> np.ndarray:
        mask = box * np.uint8(0)
        mask[10, 10] = 255
        return mask

    data = write_pairs(tmp_path / "data", dot)
    arguments = ["train", str(data), "--out", str(tmp_path / "run"), *TINY]
    arguments[arguments.index("image_size=32")] = "image_size=48"
    assert main(arguments) == 2
    assert "thousandth of every slice" in " ".join(capsys.readouterr().err.split())
