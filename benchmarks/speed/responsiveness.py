"""Measure whether the window stays alive while a network trains, and training stays fast.

Opens a real napari window, trains through the Train widget, and measures with a timer of 5 ms in
the event loop how long it stalls, how soon a stroke of the brush is drawn, and how many steps a
second the training makes beside the window and without one.

    xvfb-run -a -s "-screen 0 1920x1080x24" python -m benchmarks.speed.responsiveness
    ... --thread    the engine in a thread of the window's process, for comparison

Throughput means something on an otherwise idle machine only: the child steps back behind others.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import napari
import numpy as np
from qtpy.QtCore import QSettings, QTimer
from qtpy.QtWidgets import QApplication

from benchmarks.common.options import given_to, parser_of
from benchmarks.speed.event_loop import Painter, Ticker
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.train.source import LayerSource
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.events import BatchEnd, Command
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.process import training_process
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.data.samples import SampleSet

TARGETS = {"p99_ms": 50.0, "max_ms": 250.0, "throughput": 0.8}
BATCH = 8
CATEGORIES = (Category(id=1, name="square"),)


class Task(NamedTuple):
    """What is trained on: so many square slices of a size, by a network."""

    count: int = 80
    size: int = 256
    model: ModelConfig = ModelConfig()

    @property
    def config(self) -> TrainConfig:
        """Train until it is stopped."""
        return TrainConfig(
            epochs=10_000, patience=0, batch_size=BATCH, image_size=self.size, model=self.model
        )

    def slices(self) -> tuple[np.ndarray, np.ndarray]:
        """Make noise with a brighter square, and its mask."""
        random, side = np.random.default_rng(0), self.size // 4
        masks = np.zeros((self.count, self.size, self.size), np.uint8)
        for i, (y, x) in enumerate(random.integers(0, self.size - side, (self.count, 2))):
            masks[i, y : y + side, x : x + side] = 1
        return random.integers(1, 120, masks.shape, np.uint8) + masks * 100, masks

    def samples(self) -> SampleSet:
        """Make the samples of the training without a window."""
        images, masks = self.slices()
        source = LayerSource("squares", Scan(images, "NYX"), masks, CATEGORIES, True)
        return source.read(self.model.dimensions)


SMALL = Task(10, 64, ModelConfig(width=4, depth=2))


def headless(seconds: float, task: Task) -> float:
    """Samples a second of the program's own training, from its first whole epoch on."""
    with tempfile.TemporaryDirectory() as run, EngineProcess() as engine:
        meter = Meter()
        stream = engine.stream(
            "napari_unet_seg.engine:train", task.config, task.samples(), Path(run) / "run"
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
        return (self.steps - 1) * BATCH / max(self.seconds, 1e-9)


def spin(seconds: float) -> None:
    """Run the event loop as napari does."""
    QTimer.singleShot(int(1000 * seconds), QApplication.instance().quit)
    QApplication.instance().exec()


def open_window(task: Task) -> tuple[napari.Viewer, TrainWidget]:
    """Open a window with the samples as layers and the Train widget docked."""
    viewer = napari.Viewer(show=False)
    images, masks = task.slices()
    known = LayerRecord(independent=True, categories=CATEGORIES).as_metadata()
    viewer.add_image(images, name="image", metadata=known)
    labels = viewer.add_labels(masks, name="mask", metadata=known)
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train U-Net")
    widget.source.tabs.setCurrentIndex(1)
    widget.setValue(task.config)
    window = viewer.window._qt_window  # noqa: SLF001
    window.resize(1600, 1000)
    window.show()
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    spin(2)
    return viewer, widget


def in_thread(run: Path, task: Task) -> Generator[Any, Command | None, None]:
    """The same training in the window's own process."""
    from napari_unet_seg import engine

    samples = task.samples()
    yield samples
    yield from engine.train(task.config, samples, run)


def with_window(seconds: float, task: Task, *, thread: bool) -> dict[str, Any]:
    """Measure the window idle, in training, and in training with a brush on the move."""
    with tempfile.TemporaryDirectory() as folder:
        viewer, widget = open_window(task)
        result: dict[str, Any] = {}
        ticker, painter = Ticker(), Painter(viewer)
        spin(seconds / 2)
        result["idle, painting"] = {"timer": ticker.summary(), "brush": painter.stop()}
        widget.output.setValue(Path(folder) / "run")
        meter, from_start = Meter(widget), Ticker()
        if thread:
            widget.panel.start(in_thread(Path(folder) / "run", task))
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
    parser = parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each phase")
    parser.add_argument("--thread", action="store_true", help="train in a thread instead")
    parser.add_argument(
        "--niceness",
        type=int,
        default=training_process.NICENESS,
        help="of the child beside the window",
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.set_defaults(task=Task())
    with given_to(parser, seconds=0.5, task=SMALL) as given:
        training_process.NICENESS = given.niceness
        load = os.getloadavg()[0]
        scratch = str(given.scratch)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        rates = [] if given.smoke else [headless(given.seconds, given.task)]
        window = with_window(given.seconds, given.task, thread=given.thread)
        rates.append(headless(given.seconds, given.task))
        rate = sum(rates) / len(rates)
        beside = window.pop("beside")
        result: dict[str, Any] = {
            "load_before": load,
            "mode": "thread" if given.thread else "child process",
            "headless": rate,
            "headless_each": rates,
            "beside": beside,
            "beside_painting": window.pop("beside_painting"),
            "niceness": training_process.NICENESS,
            "throughput": beside / rate,
            "window": window,
        }
        timers = [
            window[phase]["timer"] for phase in ("starting", "training", "training, painting")
        ]
        result["met"] = (
            all(t["p99_ms"] < TARGETS["p99_ms"] and t["max_ms"] < TARGETS["max_ms"] for t in timers)
            and result["throughput"] >= TARGETS["throughput"]
        )
        report(result)
        if given.json:
            given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
