"""Small inputs of the campaigns: scans, masks, a model, a session."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_unet_seg.config import FINE_TUNE, Category, TrainConfig

if TYPE_CHECKING:
    from pathlib import Path

CATEGORIES = (Category(id=1, name="tumour"), Category(id=7, name="oedema"))
SHAPE = (4, 24, 32)
SIZE = 32
"""Of slices to train on."""
BITS = 12
"""Number of pixels that tell the version of a slice."""
_SMALL: dict[str, Any] = {
    "image_size": SIZE,
    "batch_size": 4,
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
    "twins": False,
}
_MODEL = {"width": 4, "depth": 2}


def train_config(epochs: int = 3) -> TrainConfig:
    """Settings of a training of a fraction of a second."""
    return TrainConfig(epochs=epochs, model=_MODEL, **_SMALL)


def tune_config() -> TrainConfig:
    """Settings of a fine-tuning of a fraction of a second."""
    return FINE_TUNE.replace(**{**_SMALL, "epochs": 2})


def scan(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Grey values, uint8."""
    return np.random.default_rng(seed).integers(1, 200, shape, np.uint8)


def labels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Labels 0, 1 and 2, uint8, with a block of each category in each slice."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros(shape, np.uint8)
    for plane in drawn.reshape(-1, *shape[-2:]):
        for value in (1, 2):
            y, x = rng.integers(2, shape[-2] - 9), rng.integers(2, shape[-1] - 9)
            plane[y : y + 7, x : x + 6] = value
    return drawn


def pairs(folder: Path, count: int = 10) -> None:
    """Write images and masks in two folders."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        mask = labels(number, (SIZE, SIZE))
        image = scan(number, (SIZE, SIZE)) // 2 + mask * 60
        tifffile.imwrite(folder / "images" / f"s{number:02d}.tif", image)
        tifffile.imwrite(folder / "masks" / f"s{number:02d}.tif", mask)


def scans(folder: Path, count: int = 6) -> None:
    """Write scans of several slices."""
    folder.mkdir(parents=True)
    for number in range(count):
        tifffile.imwrite(folder / f"s{number}.tif", scan(number), metadata={"axes": "ZYX"})


def model(path: Path) -> Path:
    """Write an untrained network."""
    import torch

    from napari_unet_seg.config import ModelConfig, NormaliseConfig
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import build_net
    from napari_unet_seg.nn.checkpoint import save_checkpoint

    torch.manual_seed(0)
    config = ModelConfig(classes=len(CATEGORIES), head="softmax", **_MODEL)
    info = CheckpointInfo(
        version="0",
        model=config,
        categories=CATEGORIES,
        normalise=NormaliseConfig(),
        image_size=SIZE,
    )
    save_checkpoint(path, build_net(config), info)
    return path


def session(folder: Path, checkpoint: Path | None = None, *, empty: bool = False) -> Any:
    """Start a session on a scan beside its folder."""
    from napari_unet_seg.io.read import read_scan
    from napari_unet_seg.session.session import Session

    tifffile.imwrite(folder.parent / "scan.tif", scan(), metadata={"axes": "ZYX"})
    start = np.zeros(SHAPE, np.uint8) if empty else labels()
    opened = read_scan(folder.parent / "scan.tif")
    return Session.create(folder, opened, CATEGORIES, start, checkpoint)


def set_version(plane: np.ndarray, version: int) -> None:
    """Write a number into the first pixels of a slice."""
    plane[0, :BITS] = (version >> np.arange(BITS)) & 1


def version_of(plane: np.ndarray) -> int:
    """Read the number of `set_version`."""
    return int((plane[0, :BITS].astype(int) << np.arange(BITS)).sum())


def direct(function: str, *arguments: Any, **options: Any) -> Any:
    """Run a generator function of the engine in this process, as `EngineProcess.stream` does."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)(*arguments, **options)
