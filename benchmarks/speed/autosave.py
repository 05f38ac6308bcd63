"""Measure how long saving a session holds up the window, on a mask of 512×512×512.

Opens a real napari window, starts a session, and measures with a timer of 5 ms in the event loop
how long it stalls: while nothing is done, while the mask is painted on, and while it is gone
through slice by slice, each with and without saving. The phases take turns in one run, so that
another load on the machine weighs on all of them alike; look at the ratios.

    xvfb-run -a -s "-screen 0 1920x1080x24" python -m benchmarks.speed.autosave
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QSettings, QTimer

from benchmarks.common.options import given_to, parser_of
from benchmarks.speed.event_loop import Ticker, summary
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg.config import Category
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg._napari.review.widget import ReviewWidget
    from napari_unet_seg._napari.session.open_session import OpenSession

STEP_MS = 150


def spin(seconds: float) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def wait_for(signal: Any, act: Callable[[], object]) -> None:
    """Do something and run the event loop until a signal comes of it, however soon."""
    loop = QEventLoop()
    signal.connect(loop.quit)
    QTimer.singleShot(0, act)
    loop.exec()
    signal.disconnect(loop.quit)


def open_session(folder: Path, size: int) -> tuple[napari.Viewer, ReviewWidget]:
    """Open a window with a session on a ball in noise."""
    axis = np.arange(size, dtype=np.float32) - size / 2
    ball = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2 < (size / 4) ** 2
    viewer = napari.Viewer(show=False)
    noise = np.random.default_rng(0).integers(1, 120, (1, size, size), np.uint8)
    viewer.add_image(noise + 100 * ball.astype(np.uint8), name="head")
    known = LayerRecord(categories=(Category(id=1, name="ball"),)).as_metadata()
    viewer.add_labels(ball.astype(np.uint8), name="head mask", metadata=known)
    dock = UNetSegWidget(viewer)
    widget = dock.correct
    viewer.window.add_dock_widget(dock, name="U-Net Seg")
    dock.show_step(Step.CORRECT)
    window = viewer.window._qt_window  # noqa: SLF001
    window.resize(1600, 1000)
    window.show()
    widget.bar.folder.setValue(folder)
    wait_for(widget.desk.session_changed, widget.bar.start_button.click)
    spin(2)
    return viewer, widget


class Phases:
    """What is done in the window, again and again."""

    def __init__(self, reviewing: OpenSession) -> None:
        self.reviewing = reviewing
        self._random = np.random.default_rng(1)

    def paint(self) -> None:
        """Paint a spot on the slice on screen."""
        y, x = self._random.integers(0, self.reviewing.mask.data.shape[1] - 8, 2)
        place = np.meshgrid([self.reviewing.shown.index], np.arange(y, y + 8), np.arange(x, x + 8))
        values = int(self._random.integers(0, 2))
        self.reviewing.mask.data_setitem(tuple(axis.ravel() for axis in place), values)

    def paint_and_save(self) -> None:
        """Paint a spot, and save as every minute."""
        self.paint()
        self.reviewing.autosave.save()

    def go_on(self) -> None:
        """Paint a spot, and go to the next slice."""
        self.paint()
        self.reviewing.shown.go_to(
            (self.reviewing.shown.index + 1) % len(self.reviewing.session.states)
        )

    def accept(self) -> None:
        """Paint a spot, and accept the slice, which saves it and goes to the next."""
        self.paint()
        self.reviewing.decisions.decide(ReviewState.ACCEPTED)


def gaps_during(action: Callable[[], None], seconds: float) -> list[float]:
    """Gaps between the ticks of the event loop while something is done again and again."""
    timer, ticker = QTimer(), Ticker()
    timer.timeout.connect(action)
    timer.start(STEP_MS)
    spin(seconds)
    timer.stop()
    ticker.timer.stop()
    return ticker.gaps[1:]


def measure(size: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Take turns between the phases."""
    with tempfile.TemporaryDirectory() as folder:
        viewer, widget = open_session(Path(folder) / "session", size)
        assert widget.desk.current is not None
        phases = Phases(widget.desk.current)
        actions = {
            "nothing": lambda: None,
            "saving all": widget.desk.current.autosave.save,
            "painting": phases.paint,
            "painting, saving all": phases.paint_and_save,
            "going through slices": phases.go_on,
            "accepting slices": phases.accept,
        }
        gaps: dict[str, list[float]] = {name: [] for name in actions}
        longest: dict[str, list[float]] = {name: [] for name in actions}
        for number in range(rounds + 1):
            for name, action in actions.items():
                found = gaps_during(action, seconds)
                autosave = widget.desk.current.autosave
                wait_for(autosave.saved, partial(autosave.save, ()))
                if number:  # the first round warms up
                    gaps[name] += found
                    longest[name].append(max(found))
        viewer.close()
    return {
        name: {**summary(found), "median_longest_ms": float(np.median(longest[name]))}
        for name, found in gaps.items()
    }


def report(result: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{result['size']}³, {result['rounds']} rounds; load before: {result['load_before']:.1f}")
    print(f"{'':24}{'median':>9}{'p99':>9}{'longest':>9}{'of a round':>12}   (ms)")
    for name, row in result["phases"].items():
        figures = "".join(f"{row[key]:9.1f}" for key in ("median_ms", "p99_ms", "max_ms"))
        print(f"{name:24}{figures}{row['median_longest_ms']:12.1f}")


def main() -> None:
    """Measure and report."""
    parser = parser_of(__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=5, help="of each phase of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    with given_to(parser, size=32, seconds=0.3, rounds=1) as given:
        result: dict[str, Any] = {
            "load_before": os.getloadavg()[0],
            "size": given.size,
            "rounds": given.rounds,
        }
        scratch = str(given.scratch)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        result["phases"] = measure(given.size, given.seconds, given.rounds)
        report(result)
        if given.json:
            given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
