"""How alive an event loop is, and a brush that moves in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    import napari


class Ticker:
    """Gaps between the ticks of a 5 ms timer."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self.timer.start(5)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last))
        self._last = now

    def summary(self) -> dict[str, float]:
        """Stop and sum up."""
        self.timer.stop()
        return summary(self.gaps[1:])


def summary(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest of some milliseconds."""
    if not values:
        return {"median_ms": float("nan"), "p99_ms": float("nan"), "max_ms": float("nan")}
    return {
        "median_ms": float(np.median(values)),
        "p99_ms": float(np.percentile(values, 99)),
        "max_ms": float(max(values)),
    }


class Painter:
    """Moves a pressed brush in circles, and measures from each move to the frame that shows it."""

    def __init__(self, viewer: napari.Viewer) -> None:
        canvas = viewer.window._qt_viewer.canvas  # noqa: SLF001
        self.native = canvas.native
        self.latencies: list[float] = []
        self._sent: float | None = None
        self._angle = 0.0
        canvas._scene_canvas.events.draw.connect(self._drawn, position="last")  # noqa: SLF001
        self._post(QEvent.Type.MouseButtonPress)
        self.timer = QTimer()
        self.timer.timeout.connect(self._move)
        self.timer.start(30)

    def stop(self) -> dict[str, float]:
        """Lift the brush and sum up."""
        self.timer.stop()
        self._post(QEvent.Type.MouseButtonRelease)
        return summary(self.latencies)

    def _move(self) -> None:
        if self._sent is None:
            self._angle += 0.1
            self._sent = time.perf_counter()
            self._post(QEvent.Type.MouseMove)

    def _drawn(self, _: Any) -> None:
        if self._sent is not None:
            self.latencies.append(1000 * (time.perf_counter() - self._sent))
            self._sent = None

    def _post(self, kind: QEvent.Type) -> None:
        size = self.native.size()
        place = QPointF(
            size.width() / 2 + 100 * np.cos(self._angle),
            size.height() / 2 + 100 * np.sin(self._angle),
        )
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        event = QMouseEvent(kind, place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.postEvent(self.native, event)
