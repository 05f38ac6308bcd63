"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "2")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real scans, which are no part of the repository."""
    folder = Path(os.environ.get("UNET_SEG_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set UNET_SEG_DATA to their folder")
    return folder


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Write a small untrained checkpoint; the arguments change its tiles and its model."""
    import torch

    from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import build_net
    from napari_unet_seg.nn.checkpoint import save_checkpoint

    def make(tile: int = 64, patch_slices: int = 1, **changes: Any) -> Path:
        torch.manual_seed(0)
        model = ModelConfig(**{"width": 4, "depth": 2, **changes})
        info = CheckpointInfo(
            version="0",
            model=model,
            categories=tuple(Category(id=i + 1, name=f"c{i}") for i in range(model.classes)),
            normalise=NormaliseConfig(),
            image_size=tile,
            patch_slices=patch_slices,
        )
        path = tmp_path / f"model-{len(list(tmp_path.glob('model-*')))}.safetensors"
        save_checkpoint(path, build_net(model), info)
        return path

    return make
