"""The mouse over napari's canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytestqt.qtbot import QtBot


def canvas_of(viewer: Any) -> Any:
    """The widget that napari draws in, which nothing public gives."""
    return viewer.window._qt_viewer.canvas.native


def canvas_position(viewer: Any, y: float, x: float) -> QPoint:
    """Where a point of the two axes on screen lies on the canvas, in pixels."""
    canvas = canvas_of(viewer)
    camera = getattr(viewer, "scene", viewer).camera  # newer napari has several scenes
    down, right = map(str, camera.orientation2d)
    zoom_y = camera.zoom if down == "down" else -camera.zoom
    zoom_x = camera.zoom if right == "right" else -camera.zoom
    row = (y - camera.center[-2]) * zoom_y + canvas.height() / 2
    column = (x - camera.center[-1]) * zoom_x + canvas.width() / 2
    return QPoint(round(column), round(row))


NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def send(
    canvas: Any,
    kind: QEvent.Type,
    at: QPoint,
    button: Any,
    buttons: Any,
    modifiers: Any = NO_MODIFIER,
) -> None:
    where = QPointF(at)
    spot = QPointF(canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas, QMouseEvent(kind, where, spot, button, buttons, modifiers))


def stroke(qtbot: QtBot, viewer: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press the left button over the canvas, drag straight on and release it."""
    drag_along(qtbot, viewer, [tuple(point) for point in np.linspace(start, end, 8)])


def drag_along(
    qtbot: QtBot,
    viewer: Any,
    points: Sequence[tuple[float, float]],
    button: Any = Qt.MouseButton.LeftButton,
    modifiers: Any = NO_MODIFIER,
) -> None:
    """Press a button over the canvas, drag through points and release it."""
    canvas = canvas_of(viewer)
    none = Qt.MouseButton.NoButton
    press, release = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease
    move_to(qtbot, viewer, points[0], none, modifiers)
    send(canvas, press, canvas_position(viewer, *points[0]), button, button, modifiers)
    for point in points[1:]:
        move_to(qtbot, viewer, point, button, modifiers)
    send(canvas, release, canvas_position(viewer, *points[-1]), button, none, modifiers)


def move_to(
    qtbot: QtBot,
    viewer: Any,
    point: tuple[float, float],
    buttons: Any = Qt.MouseButton.NoButton,
    modifiers: Any = NO_MODIFIER,
) -> None:
    """Move the mouse until napari sees it there; vispy drops moves in quick succession.

    No move is left on its way, which napari would take after the window is closed.
    """
    canvas, none = canvas_of(viewer), Qt.MouseButton.NoButton
    sent: list[QPoint] = []

    def is_there() -> bool:
        position = [viewer.cursor.position[axis] for axis in viewer.dims.displayed]
        return bool(np.allclose(position, point, atol=1))

    def seen() -> bool:
        if sent and is_there():
            return True
        sent.append(canvas_position(viewer, *point))
        send(canvas, QEvent.Type.MouseMove, sent[-1], none, buttons, modifiers)
        return is_there()

    qtbot.waitUntil(seen)
