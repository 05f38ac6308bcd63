"""The plugin's docks share one group of tabs: below each other none would be high enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


def join_tabs(widget: QWidget) -> None:
    """Put a widget's dock among the tabs of the plugin's others, once."""
    widget.installEventFilter(_Joiner(widget))


class _Joiner(QObject):
    settled = False
    """Whether the dock has its place, so that later ones may join it."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.ParentChange:
            # Once napari has added the dock, and before the window is laid out: with one more
            # dock in the column it would grow, and stay so.
            QTimer.singleShot(0, self._join)
        return False

    def _join(self) -> None:
        dock = ancestor(self.parent(), QDockWidget)
        window = ancestor(dock, QMainWindow)
        if dock is None or window is None or self.settled:
            return
        area = window.dockWidgetArea(dock)
        for other in window.findChildren(QDockWidget):
            ours = any(joiner.settled for joiner in other.findChildren(_Joiner))
            if ours and not other.isFloating() and window.dockWidgetArea(other) == area:
                window.tabifyDockWidget(other, dock)
                QTimer.singleShot(0, dock.raise_)  # there are no tabs before the layout
                break
        self.settled = True


def ancestor(child: QObject | None, kind: type[QObject]) -> QObject | None:
    while child is not None and not isinstance(child, kind):
        child = child.parent()
    return child
