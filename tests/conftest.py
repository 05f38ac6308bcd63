"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from display import own_display
from shared_children import ChildPool
from turns import turn

from napari_unet_seg import log
from napari_unet_seg.io.cases.remembered import FOLDER_VARIABLE
from napari_unet_seg.process import engine_process, warm_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Each worker has a core to itself, and the child processes see the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Timing the precisions is tested on its own; elsewhere it would be most of a network's first call.
os.environ.setdefault("NAPARI_UNET_SEG_PRECISION", "float32")
# napari's settings stay in memory, and out of the user's file, which the workers would share.
os.environ["NAPARI_CONFIG"] = ""

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Keep log and corrections of plans out of the user's folders, and give each worker a display.

    Keyboard focus and clipboard are one for each display.
    """
    if not hasattr(config, "workerinput"):
        folder = TemporaryDirectory(prefix="napari-unet-seg-log-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ[log.FOLDER_VARIABLE] = folder.name
        os.environ[FOLDER_VARIABLE] = f"{folder.name}/plans"
    if hasattr(config, "workerinput") and "DISPLAY" in os.environ:
        config.add_cleanup(own_display())


@pytest.fixture(autouse=True)
def own_turn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Run a test marked as serial while no other worker runs any."""
    if not hasattr(request.config, "workerinput"):
        yield
        return
    shared = tmp_path_factory.getbasetemp().parent
    with turn(shared, alone=request.node.get_closest_marker("serial") is not None):
        yield


@pytest.fixture(scope="session")
def child_pool() -> Iterator[ChildPool]:
    """Child processes that wait for the next test."""
    pool = ChildPool()
    yield pool
    pool.close()


@pytest.fixture
def shared_children(child_pool: ChildPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine run in child processes that earlier tests have left warm."""
    monkeypatch.setattr(engine_process, "_Child", child_pool.take)
    # A window that closes kills a child that is loading a network, which the next one would repeat.
    monkeypatch.setattr(warm_engine, "os", SimpleNamespace(kill=lambda *_: None))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real scans, which are no part of the repository."""
    folder = Path(os.environ.get("UNET_SEG_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set UNET_SEG_DATA to their folder")
    return folder


@pytest.fixture
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Start a log in a folder of its own; afterwards the log of all tests is taken again."""
    with monkeypatch.context() as patch:
        patch.setenv(log.FOLDER_VARIABLE, str(tmp_path / "logs"))
        log.start()
        yield log.path()
    log.start()


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Write a small untrained checkpoint; the arguments change its tiles and its model."""
    import torch

    from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import build_net
    from napari_unet_seg.nn.checkpoint import save_checkpoint

    def make(
        tile: int = 64, patch_slices: int = 1, sequences: tuple[str, ...] = (), **changes: Any
    ) -> Path:
        torch.manual_seed(0)
        if sequences:
            changes["in_channels"] = len(sequences)
        model = ModelConfig(**{"width": 4, "depth": 2, **changes})
        info = CheckpointInfo(
            version="0",
            model=model,
            categories=tuple(Category(id=i + 1, name=f"c{i}") for i in range(model.classes)),
            normalise=NormaliseConfig(per_channel=len(sequences) > 1),
            sequences=sequences,
            image_size=tile,
            patch_slices=patch_slices,
            calibration=((0.0, 0.0), (1.0, 1.0)),
        )
        path = tmp_path / f"model-{len(list(tmp_path.glob('model-*')))}.safetensors"
        save_checkpoint(path, build_net(model), info)
        return path

    return make
