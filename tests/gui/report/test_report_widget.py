"""Report: its text arrives section by section, and is copied and saved as it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.utils.notifications import Notification, notification_manager
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.coco.widget import ImportCocoWidget
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.report import widget as report_widget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg.doctor.report import Section
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

TEXT = "Versions\n  a 1\n\nWindow\n  Qt 5\n"


@pytest.fixture
def two_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    def sections() -> Any:
        yield Section("Versions", ("a 1",))
        yield Section("Window", ("Qt 5",))

    monkeypatch.setattr(report_widget, "sections", sections)


@pytest.mark.usefixtures("two_sections")
def test_it_is_copied_and_saved(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = dock(report_widget.ReportWidget)
    qtbot.waitUntil(widget.copy_button.isEnabled)
    assert widget.text.toPlainText() == TEXT
    widget.copy_button.click()
    assert QApplication.clipboard().text() == TEXT
    monkeypatch.setattr(SaveDialog, "ask", lambda *_: (str(tmp_path / "report.txt"), ""))
    widget.save_button.click()
    assert (tmp_path / "report.txt").read_text() == TEXT


@pytest.mark.usefixtures("two_sections", "only_this_plugin")
def test_help_offers_it_once_a_dock_is_open(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer()
    for widget in (UNetSegWidget(viewer), ImportCocoWidget(viewer)):
        viewer.window.add_dock_widget(widget)
    (action,) = [a for a in viewer.window.help_menu.actions() if "U-Net" in a.text()]
    action.trigger()
    (shown,) = viewer.window._qt_window.findChildren(report_widget.ReportWidget)
    qtbot.waitUntil(shown.copy_button.isEnabled)
    assert shown.text.toPlainText() == TEXT


def test_what_napari_shows_is_in_the_log_with_its_trace(
    own_log: Path, dock: Callable[[type], Any]
) -> None:
    dock(SegmentWidget)
    try:
        Scan(np.zeros((2, 2)), "XYZ")
    except ValueError as error:
        notification_manager.dispatch(Notification.from_exception(error))
    try:
        int("of another plugin")
    except ValueError as error:
        notification_manager.dispatch(Notification.from_exception(error))
    written = own_log.read_text()
    assert "axes 'XYZ' do not fit" in written and "scan.py" in written
    assert "of another plugin" not in written
