"""What killed processes left in a session goes when it is opened to correct, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.config import Category, TrainConfig
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.temporary import in_use, temporary_path
from napari_unet_seg.models import checkpoint_path
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import save_checkpoint
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import Round
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

PLANNED = 5
DONE = {"number": 1, "checkpoint": "rounds/01/best.safetensors", "base": "", "before": None}
DONE |= {"after": None, "train": 1, "held_out": 0, "epochs": 1}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    pixels = np.zeros((2, 8, 8), np.uint8)
    return Session.create(
        tmp_path / "session", Scan(pixels, "ZYX"), (Category(id=1, name="tumour"),), pixels
    )


def train(folder: Path, epoch: int) -> None:
    """Leave the files of a training that came to an epoch."""
    run, info = Run(folder), read_header(checkpoint_path("bundled"))
    run.start(TrainConfig(epochs=PLANNED, patience=0), {})
    save_checkpoint(run.last, build_net(info.model), info.model_copy(update={"epoch": epoch}))


def rounds(session: Session) -> set[str]:
    return {folder.name for folder in (session.folder / "rounds").iterdir()}


def test_temporary_files_and_rounds_without_an_end_are_removed(session):
    for folder in ("", "masks", "predictions"):
        temporary_path(session.folder / folder / "x.tif").touch()
    files = {p for p in session.folder.rglob("*") if "unet-seg" not in p.name}
    Run(session.new_round()).start(TrainConfig(), {})
    train(session.new_round(), 2)
    train(session.new_round(), PLANNED)
    Session.open(session.folder)
    assert rounds(session) == {"01", "02", "03"}
    Session.open(session.folder, hold=True).close()
    assert rounds(session) == {"03"}
    left = {p for p in session.folder.rglob("*") if "rounds" not in str(p)}
    assert left == {*files, session.folder / "session.lock"}


def test_rounds_of_the_record_and_rounds_in_use_stay(session):
    train(session.new_round(), 2)
    train(session.new_round(), 2)
    session.finish_round(Round(**DONE))
    with in_use(session.folder / "rounds" / "02", folder=True):
        Session.open(session.folder, hold=True).close()
        assert rounds(session) == {"01", "02"}
    Session.open(session.folder, hold=True).close()
    assert rounds(session) == {"01"}
