from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

WIDEST = 400
PLUGIN = "napari-unet-seg"
NAMES = ("Import COCO", "Train U-Net", "U-Net Seg", "Report")


def test_the_docks_share_one_group_of_tabs(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer(show=True)
    window = viewer.window._qt_window
    window.resize(1366, 768)
    docks = []
    for name in NAMES:
        docks.append(viewer.window.add_plugin_dock_widget(PLUGIN, name)[0])
        QApplication.processEvents()

    qtbot.waitUntil(lambda: set(window.tabifiedDockWidgets(docks[-1])) == set(docks[:-1]))
    qtbot.waitUntil(lambda: not docks[-1].visibleRegion().isEmpty())
    assert all(dock.visibleRegion().isEmpty() for dock in docks[:-1])
    assert window.height() <= 768
    for dock in docks:
        dock.raise_()
        qtbot.waitUntil(lambda dock=dock: not dock.visibleRegion().isEmpty())
        assert dock.width() == docks[0].width() <= WIDEST
    assert [dock.windowTitle() for dock in docks] == list(NAMES), "all that a tab has room for"
