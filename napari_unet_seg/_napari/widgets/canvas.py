"""napari's canvas, where its drawing context matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMainWindow, QOpenGLWidget

from napari_unet_seg._napari.widgets.connect import connect
from napari_unet_seg._napari.widgets.dock_widget import ancestor

if TYPE_CHECKING:
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


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
