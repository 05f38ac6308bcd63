"""The brain model of the package as the start of a model of tissues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from napari_unet_seg import engine
from napari_unet_seg.cli import main
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BRAIN
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 160
FLUID, GREY, WHITE = 1, 2, 3
VALUES = np.array([90, 40, 130, 200])
"""Grey of what is outside of the brain, and of each tissue."""


def head(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A slice of a head with skull, fluid, folded grey matter and white matter."""
    rng = np.random.default_rng(number)
    grid = np.indices((SIZE, SIZE)) - SIZE / 2 - rng.uniform(-12, 12, (2, 1, 1))
    far = np.hypot(grid[0] / rng.uniform(0.8, 1.2), grid[1]) / rng.uniform(0.7, 1)
    folds = rng.uniform(2, 6) * np.sin(rng.integers(5, 13) * np.arctan2(*grid))
    labels = np.zeros((SIZE, SIZE), np.uint8)
    for value, radius in ((FLUID, 56), (GREY, 52), (WHITE, 40 + folds), (FLUID, 10)):
        labels[far < radius] = value
    grey = np.where(far < 68, VALUES[labels], 0)
    image = ndimage.gaussian_filter(grey.astype(float), 1) + rng.normal(0, 4, far.shape)
    return image.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def tissues(tmp_path: Path) -> Path:
    """Images and masks of 24 patients."""
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for number in range(24):
        for part, pixels in zip(("images", "masks"), head(number), strict=True):
            file = tmp_path / "data" / part / f"sub-{number:02}.tif"
            tifffile.imwrite(file, pixels, photometric="minisblack")
    return tmp_path / "data"


def test_the_brain_model_learns_tissues(tissues: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = [
        "--set",
        "threads=1",
        "--set",
        "precision=float32",
        "--device",
        "cpu",
        "--epochs",
        "25",
    ]
    assert main(["finetune", "brain", "--data", str(tissues), "--out", str(run), *settings]) == 0
    best = read_header(run / "best.safetensors")
    assert len(best.categories) == 3 and best.model.head == "softmax"
    assert best.image_size == read_header(BRAIN).image_size
    images, labels = map(np.stack, zip(*map(head, range(100, 104)), strict=True))
    how = PredictConfig(precision="float32", threads=1, device="cpu", remove_small=False)
    found = list(engine.predict(how, run / "best.safetensors", Scan(images, "NYX")))[-1].labels
    for value in (FLUID, GREY, WHITE):
        both = (found == value) & (labels == value)
        dice = 2 * both.sum() / ((found == value).sum() + (labels == value).sum())
        assert dice > 0.7, (value, dice)
