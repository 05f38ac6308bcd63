"""The base of the plugin's docks, and what ties a widget to napari's window and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QOpenGLWidget, QWidget

from napari_unet_seg._napari.widgets.close_guard import guard_window
from napari_unet_seg._napari.widgets.windows import ancestor

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel


class DockWidget(QWidget):
    """A widget that napari docks.

    The plugin's docks share one group of tabs: below each other none would be high enough. Their
    window asks before it closes over running jobs.

    Parameters
    ----------
    viewer : napari.Viewer
        Of the window that the widget is docked in.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        self.installEventFilter(_Joiner(self))
        free_in_place(self, viewer)


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
        guard_window(window)
        area = window.dockWidgetArea(dock)
        for other in window.findChildren(QDockWidget):
            ours = any(joiner.settled for joiner in other.findChildren(_Joiner))
            if ours and not other.isFloating() and window.dockWidgetArea(other) == area:
                window.tabifyDockWidget(other, dock)
                QTimer.singleShot(0, dock.raise_)  # there are no tabs before the layout
                break
        self.settled = True


def connect(widget: QWidget, *pairs: tuple[Any, Callable[..., object]]) -> None:
    """Connect emitters of napari to callbacks until the widget is destroyed.

    napari outlives a dock widget, and a callback to one that is gone is an error.
    """
    for emitter, callback in pairs:
        emitter.connect(callback)

    def disconnect() -> None:
        for emitter, callback in pairs:
            emitter.disconnect(callback)

    widget.destroyed.connect(disconnect)


def free_in_place(widget: QWidget, viewer: ViewerModel) -> None:
    """Let what a removed layer had on the graphics card be freed in the context of the canvas.

    napari frees it at once, in whatever context is current: often that in which Qt puts the window
    together. Drivers then crash when the layers that come next are drawn.

    Parameters
    ----------
    widget : QWidget
        In a dock of the viewer's window, floating or not.
    viewer : napari.Viewer
        Whose layers are removed, by anybody.
    """
    connect(widget, (viewer.layers.events.removing, _Canvas(widget).make_current))


class _Canvas(QObject):
    def make_current(self, _: object = None) -> None:
        window = ancestor(self.parent(), QMainWindow)
        centre = None if window is None else window.centralWidget()
        canvas = None if centre is None else centre.findChild(QOpenGLWidget)
        if canvas is not None:
            canvas.makeCurrent()
