"""Opening a session again, in steps between which the user can stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scene

from napari_unet_seg._napari.session.jobs import reopen_session
from napari_unet_seg.events import Command, Progress
from napari_unet_seg.io.images.tiff import read_tiff, write_array
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stop_between_the_steps_lets_the_session_go(tmp_path: Path) -> None:
    labels = np.zeros((2, 8, 9), np.uint8)
    write_array(tmp_path / "head.tif", labels, axes="ZYX")
    scan = read_tiff(tmp_path / "head.tif")
    Session.create(tmp_path / "head", scan, scene.CATEGORIES, labels).close()

    steps = reopen_session(tmp_path / "head")
    assert isinstance(next(steps), Progress)
    with pytest.raises(StopIteration):
        steps.send(Command.STOP)
    Session.open(tmp_path / "head", hold=True).close()
