"""The × of a dock, used with the mouse."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QMessageBox, QPushButton

from napari_unet_seg._napari.widgets.windows import ancestor

_LEFT = Qt.MouseButton.LeftButton


def close_by_cross(widget: Any, text: str | None) -> str:
    """Click on the × of the dock, and answer; return the question, empty if there was none."""
    dock: Any = ancestor(widget, QDockWidget)
    asked: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            QTest.mouseClick(next(b for b in box.buttons() if b.text() == text), _LEFT)

    QTimer.singleShot(0, answer)
    QTest.mouseClick(dock.titleBarWidget().findChild(QPushButton, "QTitleBarCloseButton"), _LEFT)
    return "".join(asked)
