"""The question about a slice of the open session that another program has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication
from scene import SHAPE, add_mask
from sessions import mask_of, start_session

from napari_unet_seg._napari.files.changed_dialog import SessionChangedDialog
from napari_unet_seg._napari.review.widget import ReviewWidget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.gui


@pytest.fixture
def widget(qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    """A session whose slice 1 was edited here and by another program."""
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(np.random.default_rng(0).integers(1, 200, SHAPE, np.uint8), name="head")
    add_mask(widget.viewer, np.zeros(SHAPE, np.uint8))
    start_session(qtbot, widget, tmp_path / "s")
    theirs = np.zeros(SHAPE[1:], np.uint8)
    theirs[5, 5] = 1
    tifffile.imwrite(_file(widget), theirs)
    mask_of(widget).data_setitem((np.array([1]), np.array([2]), np.array([2])), 1)
    return widget


def _file(widget: ReviewWidget) -> Path:
    assert widget.session is not None
    return widget.session.masks.path(1)


def _pixels(path: Path) -> tuple[int, int]:
    plane = tifffile.imread(path)
    return int(plane[2, 2]), int(plane[5, 5])


@pytest.mark.parametrize(("button", "stored"), [("mine", (1, 0)), ("theirs", (0, 1))])
def test_the_user_chooses_while_the_session_is_open(
    qtbot: QtBot, widget: ReviewWidget, button: str, stored: tuple[int, int]
) -> None:
    current, changes = widget.desk.current, widget.desk._changes
    assert current is not None
    current.autosave.save()
    qtbot.waitUntil(lambda: changes.dialog is not None)
    assert "The mask of slice 1 in s was changed here" in changes.dialog.text()
    assert _pixels(_file(widget)) == (0, 1)
    with qtbot.waitSignal(current.autosave.saved):
        qtbot.mouseClick(getattr(changes.dialog, button), Qt.MouseButton.LeftButton)
    assert _pixels(_file(widget)) == stored
    assert (current.mask.data[1, 2, 2], current.mask.data[1, 5, 5]) == stored
    if button == "theirs":
        current.mask.undo()
        assert current.mask.data[1, 2, 2] == 1


@pytest.mark.parametrize(
    ("button", "stored"), [("mine", (1, 0)), ("theirs", (0, 1)), ("later", (0, 1))]
)
def test_the_user_chooses_when_the_session_is_closed(
    widget: ReviewWidget, button: str, stored: tuple[int, int]
) -> None:
    mask, path = mask_of(widget), _file(widget)

    def click() -> None:
        (dialog,) = (
            w for w in QApplication.topLevelWidgets() if isinstance(w, SessionChangedDialog)
        )
        getattr(dialog, button).click()

    QTimer.singleShot(0, click)
    widget.desk.close()
    assert widget.session is None
    assert _pixels(path) == stored
    assert mask.data[1, 2, 2] == (0 if button == "theirs" else 1), "the layer keeps the work"
