"""What a removed layer had on the graphics card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext
from qtpy.QtWidgets import QDockWidget, QOpenGLWidget, QWidget

from napari_unet_seg._napari.widgets.dock_widget import free_layers_in_canvas_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


@pytest.mark.parametrize("floating", [False, True])
def test_it_is_freed_in_the_context_of_the_canvas(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], floating: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    widget = QWidget()
    dock: QDockWidget = viewer.window.add_dock_widget(widget)
    free_layers_in_canvas_context(widget, viewer)
    dock.setFloating(floating)
    canvas = viewer.window._qt_window.centralWidget().findChild(QOpenGLWidget)
    qtbot.waitUntil(lambda: canvas.context() is not None)
    image = viewer.add_image(np.zeros((8, 8)))
    canvas.doneCurrent()
    seen: list[bool] = []
    viewer.layers.events.removed.connect(
        lambda _: seen.append(QOpenGLContext.currentContext() == canvas.context())
    )
    viewer.layers.remove(image)
    assert seen == [True]
    dock.setFloating(False)


def test_a_widget_outside_a_window_does_not_mind(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer()
    widget = QWidget()
    qtbot.addWidget(widget)
    free_layers_in_canvas_context(widget, viewer)
    viewer.add_image(np.zeros((8, 8)))
    viewer.layers.clear()
    assert not len(viewer.layers)
