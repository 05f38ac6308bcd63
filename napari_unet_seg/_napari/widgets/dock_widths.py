"""The width of docks, kept while a dock beside them goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow


def keep_dock_widths(window: QMainWindow) -> None:
    """Give the docks of a window their present width again, once it is laid out.

    To be called when a dock beside them is about to go: Qt would give its room to its neighbour,
    and not to the canvas.
    """
    widths = {dock: dock.width() for dock in _shown_docks(window)}

    def restore() -> None:
        docks = [dock for dock in _shown_docks(window) if dock in widths]
        window.resizeDocks(docks, [widths[d] for d in docks], Qt.Orientation.Horizontal)

    timer = QTimer(window)  # which a window that closes takes along
    timer.setSingleShot(True)
    timer.timeout.connect(restore)
    timer.timeout.connect(timer.deleteLater)
    timer.start(0)


def _shown_docks(window: QMainWindow) -> list[QDockWidget]:
    docks = window.findChildren(QDockWidget)
    return [dock for dock in docks if dock.isVisible() and not dock.isFloating()]
