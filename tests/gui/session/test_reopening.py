"""Opening a session again, in steps between which the user can stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scene

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.session.jobs import reopen_session
from napari_unet_seg.events import Command, Progress
from napari_unet_seg.io.images.tiff import read_tiff, write_array
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot


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


@pytest.mark.parametrize("decided", [(), range(4)])
def test_a_session_in_which_nothing_or_all_is_decided_opens_on_the_lesion(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, decided: Sequence[int]
) -> None:
    labels = np.zeros((4, 8, 9), np.uint8)
    labels[3, 2:5, 2:5] = labels[0, 0, 0] = 1
    write_array(tmp_path / "head.tif", np.ones_like(labels), axes="ZYX")
    scan = read_tiff(tmp_path / "head.tif")
    session = Session.create(tmp_path / "head", scan, scene.CATEGORIES, labels)
    session.set_states(dict.fromkeys(decided, ReviewState.ACCEPTED))
    session.save()
    session.close()
    widget: ReviewWidget = dock(ReviewWidget)
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(tmp_path / "head")
    assert widget.desk.current is not None
    assert widget.desk.current.shown.index == 3
