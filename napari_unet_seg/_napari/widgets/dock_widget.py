"""The base class of the plugin's docks, and the connection of a widget to napari's events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QOpenGLWidget, QWidget

from napari_unet_seg._napari import log
from napari_unet_seg._napari.widgets.closing.close_guard import guard_dock, guard_window
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.io.disk.seen import Fingerprint, has_changed, last_seen, saw, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel


_WIDTH = 400
"""Width in pixels of each dock at first, so that it stays when another tab is chosen."""
_PLUGIN_SUFFIX = " (napari-unet-seg)"
_REPORT = "U-Net Segmentation: Report"


class DockWidget(QWidget):
    """A widget that napari docks.

    The plugin's docks share one group of tabs: below each other none would be high enough. Their
    window asks before it closes while jobs run.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the window that the widget is docked in.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        log.start()
        # napari gives plugins a proxy, whose layers equal those of events, but are not identical.
        self.viewer = viewer = getattr(viewer, "__wrapped__", viewer)
        self.installEventFilter(_TabJoiner(self))
        free_layers_in_canvas_context(self, viewer)
        connect(self, (viewer.layers.events.inserted, _see_file))
        _offer_report(viewer)


def _offer_report(viewer: ViewerModel) -> None:
    """Add the report to napari's Help menu, to which manifests cannot contribute."""
    window: Any = getattr(viewer, "window", None)
    menu = getattr(window, "help_menu", None)
    if menu is None or any(action.text() == _REPORT for action in menu.actions()):
        return
    action = menu.addAction(_REPORT)
    action.triggered.connect(lambda: window.add_plugin_dock_widget("napari-unet-seg", "Report"))


def _see_file(event: Any) -> None:
    """Record that the file of a new layer is seen; napari itself reads TIFF and pictures."""
    path = event.value.source.path
    if not isinstance(path, str | Path) or not Path(path).is_file():
        return
    stamp = stamp_of(Path(path))
    if stamp is not None and (last_seen(path) is None or has_changed(path)):
        # Without a hash, which would take a while for a large image.
        saw(path, Fingerprint(stamp, ""))


def call_before_window_deletion(widget: QWidget, callback: Callable[[], None]) -> None:
    """Call a function before the window that a widget is docked in is deleted.

    A window that is closed by its own button, and is not the last one, does not remove its docks
    first, so that their widgets get no event of their own.
    """
    widget.installEventFilter(_WindowDeletion(widget, callback))


class _WindowDeletion(QObject):
    def __init__(self, widget: QWidget, callback: Callable[[], None]) -> None:
        super().__init__(widget)
        self._callback = callback

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        kind = event.type() if event is not None else None
        if watched is self.parent() and kind == QEvent.Type.ParentChange:
            QTimer.singleShot(0, self._watch)  # once the dock is in its window
        elif watched is not self.parent() and kind == QEvent.Type.DeferredDelete:
            self._callback()
        return False

    def _watch(self) -> None:
        window = ancestor(self.parent(), QMainWindow)
        if window is not None:
            window.installEventFilter(self)


class _TabJoiner(QObject):
    settled = False
    """Whether the dock has its final area, so that docks added later may join its tabs."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.ParentChange:
            # After napari has added the dock, and before the window is laid out: one more dock in
            # the column would make the window grow, and it would not shrink again.
            QTimer.singleShot(0, self._join)
        return False

    def _join(self) -> None:
        dock = ancestor(self.parent(), QDockWidget)
        window = ancestor(dock, QMainWindow)
        if dock is None or window is None:
            return
        guard_dock(dock)
        # napari adds the plugin's name, for which tabs have no room.
        dock.setWindowTitle(dock.windowTitle().removesuffix(_PLUGIN_SUFFIX))
        if self.settled:
            return
        guard_window(window)
        area = window.dockWidgetArea(dock)
        for other in window.findChildren(QDockWidget):
            joined = any(joiner.settled for joiner in other.findChildren(_TabJoiner))
            if joined and not other.isFloating() and window.dockWidgetArea(other) == area:
                window.tabifyDockWidget(other, dock)
                QTimer.singleShot(0, dock.raise_)  # there are no tabs before the layout
                break
        self.settled = True
        QTimer.singleShot(0, self._narrow)

    def _narrow(self) -> None:
        """Give the dock its width, once the window is laid out.

        Qt has taken the width without napari's style, which is larger, for the dock's minimum.
        """
        dock = ancestor(self.parent(), QDockWidget)
        window = ancestor(dock, QMainWindow)
        if dock is not None and window is not None:
            dock.setMinimumWidth(0)
            window.resizeDocks([dock], [_WIDTH], Qt.Orientation.Horizontal)


def connect(widget: QWidget, *pairs: tuple[Any, Callable[..., object]]) -> None:
    """Connect emitters of napari to callbacks until the widget is destroyed.

    napari's viewer outlives a dock widget, and a callback to a deleted widget is an error.
    """
    for emitter, callback in pairs:
        emitter.connect(callback)

    def disconnect() -> None:
        for emitter, callback in pairs:
            emitter.disconnect(callback)

    widget.destroyed.connect(disconnect)


def free_layers_in_canvas_context(widget: QWidget, viewer: ViewerModel) -> None:
    """Free the textures and buffers of removed layers in the OpenGL context of the canvas.

    napari frees them at once, in whatever context is current: often in that in which Qt composes
    the window. Drivers then crash when the next layers are drawn.

    Parameters
    ----------
    widget : QWidget
        A widget in a dock of the viewer's window, floating or not.
    viewer : napari.Viewer
        The viewer whose layers are removed, by the user, a script or a plugin.
    """
    connect(widget, (viewer.layers.events.removing, _CanvasContext(widget).make_current))


class _CanvasContext(QObject):
    def make_current(self, _: object = None) -> None:
        window = ancestor(self.parent(), QMainWindow)
        centre = None if window is None else window.centralWidget()
        canvas = None if centre is None else centre.findChild(QOpenGLWidget)
        if canvas is not None:
            canvas.makeCurrent()
