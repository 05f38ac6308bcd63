"""Open, segment, correct, accept and close in one napari, hundreds of times, and count what stays.

    xvfb-run -a python -m benchmarks.reliability.window [--rounds 300]

Each round adds a scan, segments it in the engine's process, starts a session, paints, accepts all
slices, fine-tunes nothing, closes the session and removes the layers. Memory (resident, of napari
and of the engine's process), threads, open files and widgets are counted after each round. The
growth of a round is the slope of the second half; the first half warms up.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability import inputs
from benchmarks.reliability.record import keep_figures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATIENCE_S = 60.0
_COUNTED = ("mebibytes", "engine_mebibytes", "threads", "files", "widgets")


def wait_until(is_so: Callable[[], Any]) -> None:
    """Let the window work until something is so."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError("The window does not come to it.")
        QApplication.processEvents()
        time.sleep(0.001)


def count() -> dict[str, float]:
    """Count what must not grow."""
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    deletion = QEvent.Type.DeferredDelete
    QApplication.sendPostedEvents(None, int(getattr(deletion, "value", deletion)))
    gc.collect()
    process = psutil.Process()
    engine = sum(child.memory_info().rss for child in process.children(recursive=True))
    return {
        "mebibytes": process.memory_info().rss / 2**20,
        "engine_mebibytes": engine / 2**20,
        "threads": threading.active_count(),
        "files": process.num_fds(),
        "widgets": len(QApplication.allWidgets()),
    }


class Rounds:
    """A window in which the same is done over and over.

    Parameters
    ----------
    folder : Path
        Where the sessions go.
    """

    def __init__(self, folder: Path) -> None:
        import napari

        from napari_unet_seg._napari.dock.widget import UNetSegWidget

        self._folder = folder
        self.viewer = napari.Viewer()
        dock = UNetSegWidget(self.viewer)
        self.segment, self.review = dock.segment, dock.correct
        self.viewer.window.add_dock_widget(dock)
        self._finished: list[Any] = []
        self.segment.finished.connect(self._finished.append)

    def round(self, number: int) -> None:
        """Open, segment, correct, accept, close."""
        from napari_unet_seg.session.review_queue import ReviewState

        image = self.viewer.add_image(inputs.scan(number, (4, 64, 64)), name="head")
        self._finished.clear()
        self.segment.form.image_combo.setLayer(image)
        self.segment.form.segment_button.click()
        wait_until(lambda: self._finished)
        mask, desk = self._finished[0], self.review.desk
        self.review.image_combo.setLayer(image)
        self.review.mask_combo.setLayer(mask)
        self.review.bar.folder.setValue(self._folder / f"session-{number}")
        self.review.bar.start_button.click()
        wait_until(lambda: desk.current is not None and not desk.busy)
        for index in range(len(mask.data)):
            spot = np.meshgrid([index], np.arange(5, 12), np.arange(5, 12))
            mask.data_setitem(tuple(axis.ravel() for axis in spot), 1)
            desk.current.decisions.decide(ReviewState.ACCEPTED)
        wait_until(lambda: len(desk.current.session.accepted) == len(mask.data))
        desk.close()
        wait_until(lambda: desk.current is None)
        self._finished.clear()
        self.viewer.layers.clear()


def slope(values: list[float]) -> float:
    """Growth of a round, over the second half of the rounds."""
    late = values[len(values) // 2 :]
    return float(np.polyfit(np.arange(len(late)), late, 1)[0]) if len(late) > 1 else 0.0


def main() -> None:
    """Do all rounds, and keep the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    with given_to(parser, rounds=2) as given, tempfile.TemporaryDirectory() as settings:
        os.environ["NAPARI_UNET_SEG_PRECISION"] = "float32"
        from qtpy.QtCore import QSettings

        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        start, rounds, counts = time.perf_counter(), Rounds(given.scratch), []
        for number in range(given.rounds):
            rounds.round(number)
            counts.append(count())
            if not number % 20:
                sys.stderr.write(f"{number}: {counts[-1]}\n")
        seconds = time.perf_counter() - start
        rounds.viewer.close()
    figures = {
        name: {
            "first": round(counts[0][name], 1),
            "half": round(counts[len(counts) // 2][name], 1),
            "last": round(counts[-1][name], 1),
            "growth": round(slope([each[name] for each in counts]), 3),
        }
        for name in _COUNTED
    }
    record = {"rounds": given.rounds, "seconds": round(seconds, 1), "counts": figures}
    keep_figures("window", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
