"""The Train dock closed by its × over a running training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from cross import close_by_cross
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from napari_unet_seg._napari.train.widget import TrainWidget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

LEFT = Qt.MouseButton.LeftButton
TITLE = "Train U-Net"


@pytest.fixture
def widget(
    qtbot: QtBot,
    only_this_plugin: None,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> TrainWidget:
    """The dock from the menu, over a training that has shown its first previews."""
    folder = tmp_path / "squares"
    for kind in ("images", "masks"):
        (folder / "train" / kind).mkdir(parents=True)
        square = np.zeros((32, 32), np.uint8)
        square[8:20, 8:24] = 1
        tifffile.imwrite(
            folder / "train" / kind / "one.tif", square * (200 if kind[0] == "i" else 1)
        )
    whole = TrainWidget.__init__

    def start(self: TrainWidget, napari_viewer: Any) -> None:
        whole(self, napari_viewer, engine="fake_engine:train_until_stopped")

    monkeypatch.setattr(TrainWidget, "__init__", start)
    viewer = make_napari_viewer()
    viewer.window.resize(1366, 768)
    viewer.show()
    open_by_menu(viewer)
    dock = next(d for d in viewer.window._qt_window.findChildren(QDockWidget) if TITLE in d.name)
    widget = dock.inner_widget()
    widget.source.folder.setValue(folder)
    widget.output.setValue(tmp_path / "run")
    QTest.mouseClick(widget.start_button, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    return widget


def open_by_menu(viewer: Any) -> None:
    """Choose the dock in napari's menu of plugins."""
    menus = [viewer.window.plugins_menu]
    while menus:
        for action in menus.pop().actions():
            if action.menu():
                menus.append(action.menu())
            elif action.text().startswith(TITLE):
                action.trigger()
                return
    raise AssertionError(f"{TITLE} is in no menu")


def epochs_drawn(widget: TrainWidget) -> list[int]:
    widget.panel.plot.redraw()
    return list(widget.panel.plot.train_curve.getData()[0])


def test_the_dock_stays_open_if_the_user_wants(qtbot: QtBot, widget: TrainWidget) -> None:
    assert close_by_cross(widget, "Keep open") == "Training is running."
    assert widget.panel.running
    assert widget.isVisible()
    assert len(widget.viewer.layers) == 3


def test_a_run_that_goes_on_is_shown_when_the_dock_comes_back(
    qtbot: QtBot, widget: TrainWidget
) -> None:
    viewer = widget.viewer
    close_by_cross(widget, "Go on in the background")
    assert not widget.isVisible()
    assert not viewer.layers, "previews stay"
    before = epochs_drawn(widget)[-1]
    qtbot.waitUntil(lambda: epochs_drawn(widget)[-1] > before + 2)
    assert not viewer.layers, "previews come without the dock"
    open_by_menu(viewer)
    assert widget.isVisible()
    assert epochs_drawn(widget)[0] == 1
    qtbot.waitUntil(lambda: "samples/s" in widget.panel.status.text())
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    QTest.mouseClick(widget.panel.stop_button, LEFT)
    qtbot.waitUntil(lambda: not widget.panel.running)
    assert widget.panel.status.text().startswith("Stopped.\nBest validation Dice")
    assert not viewer.layers
    assert close_by_cross(widget, None) == ""  # nothing runs
    assert widget.parent() is None


def test_a_run_is_stopped_with_the_dock(
    qtbot: QtBot, widget: TrainWidget, notifications: list[str]
) -> None:
    close_by_cross(widget, "Stop and close")
    assert widget.parent() is None
    assert not widget.panel.running
    assert notifications[-1].startswith("Stopped: best validation Dice")
    assert not widget.viewer.layers
