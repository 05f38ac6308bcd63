"""Measure whether the window stays alive while a network trains, and training stays fast.

Opens a real napari window, trains through the Train widget, and measures with a timer of 5 ms in
the event loop how long it stalls, how soon a stroke of the brush is drawn, and how many steps a
second the training makes beside the window and without one.

    xvfb-run -a -s "-screen 0 1920x1080x24" python benchmarks/responsiveness.py
    ... --thread    the engine in a thread of the window's process, for comparison

Throughput means something on an otherwise idle machine only: the child steps back behind others.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from qtpy.QtCore import QEvent, QPointF, QSettings, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.train.source import LayerSource
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg.config import Category, TrainConfig
from napari_unet_seg.events import BatchEnd, Command
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.process import train_in_child
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator

TARGETS = {"p99_ms": 50.0, "max_ms": 250.0, "throughput": 0.8}
CONFIG = TrainConfig(epochs=10_000, patience=0)
CATEGORIES = (Category(id=1, name="square"),)


def slices(count: int = 80, size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a brighter square, and its mask."""
    random = np.random.default_rng(0)
    masks = np.zeros((count, size, size), np.uint8)
    for i, (y, x) in enumerate(random.integers(20, size - 90, (count, 2))):
        masks[i, y : y + 64, x : x + 64] = 1
    return random.integers(1, 120, masks.shape, np.uint8) + masks * 100, masks


def source() -> LayerSource:
    """The samples of the training without a window."""
    images, masks = slices()
    return LayerSource("squares", Scan(images, "NYX"), masks, CATEGORIES, True)


def headless(seconds: float) -> float:
    """Samples a second of the program's own training, from its first whole epoch on."""
    with tempfile.TemporaryDirectory() as run, EngineProcess() as engine:
        meter = Meter()
        stream = engine.stream(
            "napari_unet_seg.engine:train", CONFIG, source().read(), Path(run) / "run"
        )
        for event in stream:
            meter.take(event)
            if meter.seconds > seconds:
                stream.close()
    return meter.rate


class Meter:
    """Counts samples once the first epoch, with its warm-up, is over."""

    def __init__(self, widget: TrainWidget | None = None) -> None:
        self.steps, self.start, self.now = 0, 0.0, 0.0
        if widget is not None:
            widget.panel.event_arrived.connect(self.take)

    def take(self, event: Any) -> None:
        """Count an event."""
        if isinstance(event, BatchEnd) and event.epoch > 1:
            self.now = time.perf_counter()
            self.start = self.start or self.now
            self.steps += 1

    @property
    def seconds(self) -> float:
        """Time counted over."""
        return self.now - self.start

    @property
    def rate(self) -> float:
        """Samples a second."""
        return (self.steps - 1) * CONFIG.batch_size / max(self.seconds, 1e-9)


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


def spin(seconds: float) -> None:
    """Run the event loop as napari does."""
    QTimer.singleShot(int(1000 * seconds), QApplication.instance().quit)
    QApplication.instance().exec()


def open_window() -> tuple[napari.Viewer, TrainWidget]:
    """Open a window with the samples as layers and the Train widget docked."""
    viewer = napari.Viewer(show=False)
    images, masks = slices()
    known = {"unet_seg": {"independent": True, "categories": CATEGORIES}}
    viewer.add_image(images, name="image", metadata=known)
    labels = viewer.add_labels(masks, name="mask", metadata=known)
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train U-Net")
    widget.source.tabs.setCurrentIndex(1)
    widget.setValue(CONFIG)
    window = viewer.window._qt_window  # noqa: SLF001
    window.resize(1600, 1000)
    window.show()
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    spin(2)
    return viewer, widget


def in_thread(run: Path) -> Generator[Any, Command | None, None]:
    """The same training in the window's own process."""
    from napari_unet_seg import engine

    samples = source().read()
    yield samples
    yield from engine.train(CONFIG, samples, run)


def beside_window(seconds: float, *, thread: bool) -> dict[str, Any]:
    """Measure the window idle, in training, and in training with a brush on the move."""
    with tempfile.TemporaryDirectory() as folder:
        viewer, widget = open_window()
        result: dict[str, Any] = {}
        ticker, painter = Ticker(), Painter(viewer)
        spin(seconds / 2)
        result["idle, painting"] = {"timer": ticker.summary(), "brush": painter.stop()}
        widget.output.setValue(Path(folder) / "run")
        meter, from_start = Meter(widget), Ticker()
        if thread:
            widget.panel.start(in_thread(Path(folder) / "run"))
        else:
            widget.start()
        while not meter.steps and widget.panel.running:
            spin(0.5)
        result["starting"] = {"timer": from_start.summary()}
        ticker, watched = Ticker(), Meter(widget)
        spin(seconds)
        result["training"] = {"timer": ticker.summary()}
        result["beside"] = watched.rate
        ticker, painter, painted = Ticker(), Painter(viewer), Meter(widget)
        spin(seconds)
        result["training, painting"] = {"timer": ticker.summary(), "brush": painter.stop()}
        result["beside_painting"] = painted.rate
        widget.panel.stop()
        while widget.panel.running:
            spin(0.1)
        viewer.close()
    return result


def report(result: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{'':22}{'median':>10}{'p99':>10}{'max':>10}   (ms)")
    for phase, measured in result["window"].items():
        for what, row in measured.items() if isinstance(measured, dict) else ():
            figures = "".join(f"{row[k]:10.1f}" for k in ("median_ms", "p99_ms", "max_ms"))
            print(f"{phase + ': ' + what:28}"[:28].ljust(28) + figures[6:])
    print(f"engine in a {result['mode']}; load of the machine before: {result['load_before']:.1f}")
    print(f"samples/s without a window {result['headless']:.1f}, beside it {result['beside']:.1f}")
    print(f"the same while the brush moves {result['beside_painting']:.1f}")
    print(f"throughput kept {result['throughput']:.0%}")
    print("targets", "met" if result["met"] else f"NOT met: {TARGETS}")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15, help="of each phase")
    parser.add_argument("--thread", action="store_true", help="train in a thread instead")
    parser.add_argument(
        "--niceness",
        type=int,
        default=train_in_child.NICENESS,
        help="of the child beside the window",
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    train_in_child.NICENESS = options.niceness
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as settings:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        before = headless(options.seconds)
        window = beside_window(options.seconds, thread=options.thread)
        after = headless(options.seconds)
    beside = window.pop("beside")
    result: dict[str, Any] = {
        "load_before": load,
        "mode": "thread" if options.thread else "child process",
        "headless": (before + after) / 2,
        "headless_each": [before, after],
        "beside": beside,
        "beside_painting": window.pop("beside_painting"),
        "niceness": train_in_child.NICENESS,
        "throughput": beside / ((before + after) / 2),
        "window": window,
    }
    timers = [window[phase]["timer"] for phase in ("starting", "training", "training, painting")]
    result["met"] = (
        all(t["p99_ms"] < TARGETS["p99_ms"] and t["max_ms"] < TARGETS["max_ms"] for t in timers)
        and result["throughput"] >= TARGETS["throughput"]
    )
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
