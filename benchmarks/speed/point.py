"""The time of a prompt: from the press of the mouse to the mask on the screen, in a real window.

    python -m benchmarks.speed.point [--repeats 15] [--json FILE]

Opens napari, docks U-Net Seg, and clicks with Point on synthetic slices of 256×256 and 640×640: at
once where the pointer arrives from some pixels away, whose outline is still asked for, and after it
has rested until the outline was shown. A click ends when the first picture with the mask is on the
screen. The event loop is watched meanwhile, and while the pointer moves on and outlines follow it.
Other processes share the processors: the load of the machine is printed, and beside the time that
passes the time that the window's thread has worked, and that of the whole window with its drawing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from qtpy.QtCore import QEvent, QEventLoop, QPointF, QSettings, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from benchmarks.common.options import given_to, parser_of
from benchmarks.speed.event_loop import Ticker, summary
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.tools.point import preview
from napari_unet_seg.config import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg._napari.tools.tab import ToolsTab

PLUGIN = "napari-unet-seg"
SIZES = (256, 640)
DISCS = ((80, 80), (80, 170), (170, 128))
"""Centres of the discs, of 256."""
LONGEST = 60_000
TIMES = ("", ", the window's thread", ", the window with its drawing")
AWAY = 0.03
"""Distance from which the pointer arrives, as a share of the side."""


class Window:
    """A window with a slice, an empty mask, and Point switched on."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1600, 1000)
        _, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
        self.side = 0
        self.canvas = self.viewer.window._qt_viewer.canvas  # noqa: SLF001 (no other way)

    def show(self, size: int) -> ToolsTab:
        """Show a slice of discs, and wait until the network is ready."""
        self.viewer.layers.clear()
        self.side = size
        y, x = np.mgrid[:size, :size] * (256 / size)
        discs = sum(np.hypot(y - row, x - column) < 18 for row, column in DISCS)
        noise = np.random.default_rng(0).normal(0, 4, y.shape)
        slices = np.stack([60 + 80 * discs + noise] * 3).astype(np.float32)
        self.viewer.add_image(slices, name="slice")
        known = LayerRecord(categories=(Category(id=1, name="lesion"),)).as_metadata()
        self.viewer.add_labels(np.zeros(slices.shape, np.uint8), name="mask", metadata=known)
        tools: ToolsTab = self.dock.correct.tools
        self.dock.show_step(Step.CORRECT)
        self.dock.correct.tabs.setCurrentWidget(tools)
        tools.prompts.choose("point")
        self.wait(lambda: not tools.prompts.point.network.warming)
        self.viewer.reset_view()
        return tools

    def wait(self, done: Callable[[], bool]) -> None:
        """Run the event loop until a condition holds."""
        start = time.perf_counter()
        while not done():
            spin(10)
            if 1000 * (time.perf_counter() - start) > LONGEST:
                raise SystemExit("nothing happened")

    def send(self, kind: QEvent.Type, row: float, column: float, held: Any) -> None:
        """Send an event of the mouse at a point of the slice, as shares of its side."""
        native = self.canvas.native
        camera = getattr(self.viewer, "scene", self.viewer).camera  # newer napari has several
        offset = self.side * np.array([row, column]) - camera.center[-2:]
        y, x = offset * camera.zoom + np.array([native.height(), native.width()]) / 2
        place = QPointF(x, y)
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        event = QMouseEvent(kind, place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(native, event)

    def click(self, tools: ToolsTab, row: float, column: float) -> list[float]:
        """Click; return milliseconds as `TIMES` names them."""
        picture = NextPicture(self.canvas, tools.prompts.solved)
        clocks = time.perf_counter, time.thread_time, time.process_time
        start = [clock() for clock in clocks]
        self.send(QEvent.Type.MouseButtonPress, row, column, LEFT)
        self.send(QEvent.Type.MouseButtonRelease, row, column, NONE)
        picture.wait()
        return [1000 * (clock() - begun) for clock, begun in zip(clocks, start, strict=True)]


class NextPicture:
    """The first picture on the screen that was drawn after a signal."""

    def __init__(self, canvas: Any, signal: Any) -> None:
        self._draws, self._swapped = canvas._scene_canvas.events.draw, canvas.native.frameSwapped  # noqa: SLF001
        self._signal = signal
        self._signalled = self._drawn = self._shown = False
        self._loop = QEventLoop()
        signal.connect(self._on_signal)
        self._draws.connect(self._on_draw)
        self._swapped.connect(self._on_swapped)

    def wait(self) -> None:
        """Run the event loop until it is there."""
        QTimer.singleShot(LONGEST, self._loop.quit)
        self._loop.exec()
        self._signal.disconnect(self._on_signal)
        self._draws.disconnect(self._on_draw)
        self._swapped.disconnect(self._on_swapped)
        if not self._shown:
            raise SystemExit("no prompt was followed")

    def _on_signal(self) -> None:
        self._signalled = True

    def _on_draw(self, _: Any) -> None:
        self._drawn = self._signalled

    def _on_swapped(self) -> None:
        if self._drawn:
            self._shown = True
            self._loop.quit()


LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


def spin(milliseconds: int) -> None:
    """Run the event loop."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def measure(window: Window, size: int, repeats: int) -> dict[str, dict[str, float]]:
    """Measure one size."""
    tools = window.show(size)
    point = tools.prompts.point
    rng = np.random.default_rng(0)
    places = [np.array([80, 80]) / 256 + rng.uniform(-0.02, 0.02, 2) for _ in range(repeats + 1)]
    results: dict[str, list[list[float]]] = {"click": [], "click on an outline": []}
    ticker = Ticker()
    for name, times in results.items():
        for row, column in places:
            for away in (AWAY, 0):
                point.preview.answer = None
                window.send(QEvent.Type.MouseMove, row, column + away, NONE)
                if name != "click":
                    window.wait(lambda: point.preview.answer is not None)
            times.append(window.click(tools, row, column))
            tools.viewer.layers["mask"].undo()
            spin(100)
    found = {}
    for name, times in results.items():
        for what, row_of in zip(TIMES, zip(*times[1:], strict=True), strict=True):
            found[f"{size}, {name}{what}"] = summary(list(row_of))
    found[f"{size}, event loop while clicking"] = ticker.summary()
    ticker, answers = Ticker(), []
    point.preview.answered.connect(lambda answer: answers.append(1000 * answer.seconds))
    for angle in np.linspace(0, 2 * np.pi, 4 * repeats):
        row, column = np.array([80, 80]) / 256 + 0.06 * np.array([np.sin(angle), np.cos(angle)])
        window.send(QEvent.Type.MouseMove, row, column, NONE)
        spin(30)
    found[f"{size}, event loop while pointing"] = ticker.summary()
    found[f"{size}, an outline"] = summary(answers)
    return found


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.set_defaults(sizes=SIZES)
    with given_to(parser, repeats=1, sizes=(64,)) as given:
        scratch = str(given.scratch)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        preview.TOO_SLOW = float("inf")
        window = Window()
        sys.stdout.write(f"load of the machine {os.getloadavg()[0]:.1f}\n")
        table: dict[str, dict[str, float]] = {}
        for size in given.sizes:
            table |= measure(window, size, given.repeats)
        window.viewer.close()
        for name, row in table.items():
            figures = "".join(f"{row[k]:9.0f}" for k in ("median_ms", "p99_ms", "max_ms"))
            sys.stdout.write(f"{name:50}{figures} ms (median, p99, largest)\n")
        if given.json:
            given.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
