"""The window that the program opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
import pytest
from napari._qt import qt_main_window
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.utils.notifications import notification_manager, show_warning
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.files.open_window import new_viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore:System theme detection")


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> Iterator[napari.Viewer]:
    # napari gives its notice once a process, in the first window on Qt 5.
    monkeypatch.setattr(qt_main_window, "SHOW_QT_WARNING", True)
    opened = new_viewer()
    yield opened
    opened.close()


def pop_ups() -> list[str]:
    toasts = [
        toast
        for window in QApplication.topLevelWidgets()
        for toast in window.findChildren(NapariQtNotification)
    ]
    return [toast.message.text() for toast in toasts]


def test_napari_covers_no_part_of_the_scan(viewer: napari.Viewer) -> None:
    assert "PyQt5 backend is deprecated" in notification_manager.records[-1].message
    assert pop_ups() == []


def test_other_warnings_of_the_opening_reach_the_user(
    monkeypatch: pytest.MonkeyPatch, notifications: list[str]
) -> None:
    def full(*arguments: Any, **options: Any) -> napari.Viewer:
        show_warning("The disk is nearly full.")
        return viewer_class(*arguments, **options)

    viewer_class = napari.Viewer
    monkeypatch.setattr(napari, "Viewer", full)
    monkeypatch.setattr(qt_main_window, "SHOW_QT_WARNING", True)
    opened = new_viewer()
    opened.close()
    assert notifications == ["The disk is nearly full."]
