"""A session that is started and opened again by the controls of the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget


def mask_of(widget: ReviewWidget) -> Any:
    """Return the layer of the open session's mask."""
    assert widget.desk.current is not None
    return widget.desk.current.mask


def start_session(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> None:
    """Start a session on the chosen layers."""
    widget.bar.folder.setValue(folder)
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.bar.start_button.click()
    qtbot.waitUntil(lambda: not widget.desk.busy)


def reopen_session(qtbot: QtBot, widget: ReviewWidget) -> None:
    """Close the session and its layers, and open it again."""
    folder = widget.session.folder
    widget.bar.close_button.click()
    widget.viewer.layers.clear()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.desk.busy)
