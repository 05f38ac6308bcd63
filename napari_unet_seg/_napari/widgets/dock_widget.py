"""A widget and the window that it is docked in.

The plugin's docks share one group of tabs: below each other none would be high enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


def join_tabs(widget: QWidget) -> None:
    """Put a widget's dock among the tabs of the plugin's others, once."""
    widget.installEventFilter(_Joiner(widget))


def before_window_goes(widget: QWidget, leave: Callable[[], None]) -> None:
    """Call a function before the window that a widget is docked in is deleted.

    A window that is closed by its own button, and is not the last one, does not take its docks
    apart first: the widgets in it are not told.
    """
    widget.installEventFilter(_Watcher(widget, leave))


class _Watcher(QObject):
    def __init__(self, widget: QWidget, leave: Callable[[], None]) -> None:
        super().__init__(widget)
        self._leave = leave

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        kind = event.type() if event is not None else None
        if watched is self.parent() and kind == QEvent.Type.ParentChange:
            QTimer.singleShot(0, self._watch)  # once the dock is in its window
        elif watched is not self.parent() and kind == QEvent.Type.DeferredDelete:
            self._leave()
        return False

    def _watch(self) -> None:
        window = ancestor(self.parent(), QMainWindow)
        if window is not None:
            window.installEventFilter(self)


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
