"""Kill a napari window at random moments, while a session's mask is painted on and saved.

    xvfb-run -a python -m benchmarks.reliability.kill_window [--kills 40] [--seed N]

The session saves as every minute, ten times a second. What had been painted when a save began that
has ended must be there, and nothing that was not painted.
"""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability import inputs
from benchmarks.reliability.forks import processes
from benchmarks.reliability.kills import kill_all
from benchmarks.reliability.record import keep_figures
from benchmarks.reliability.work.work import Found, Work, hidden_files

if TYPE_CHECKING:
    from pathlib import Path

_INTERVAL_MS = 100
_STROKE_MS = 15
_STROKES = 120
_DECIDED = 10
"""Every so many strokes a slice is accepted."""
_BEGINS = "painting"


def _spot(number: int) -> tuple[int, int, int]:
    """Where a stroke goes, each to a place of its own."""
    slices, height, width = inputs.SHAPE
    return number % slices, number // slices // width % height, number // slices % width


def _prepare(folder: Path, tell: Any) -> None:
    folder.mkdir()


def _paint(folder: Path, tell: Any) -> None:
    import napari
    from qtpy.QtCore import QSettings, QTimer

    from napari_unet_seg._napari.dock.widget import UNetSegWidget
    from napari_unet_seg._napari.session import autosave

    place = str(folder / "settings")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, place)
    autosave.INTERVAL_MS = _INTERVAL_MS
    viewer = napari.Viewer()
    viewer.add_image(inputs.scan(), name="head")
    viewer.add_labels(np.zeros(inputs.SHAPE, np.uint8), name="head mask")
    dock = UNetSegWidget(viewer)
    widget = dock.correct
    viewer.window.add_dock_widget(dock)

    def begin() -> None:
        painters.append(Painter(widget.desk.current, tell))  # Qt alone would not keep it
        timer.timeout.connect(painters[0].paint)
        timer.start(_STROKE_MS)
        tell(_BEGINS)

    timer, painters = QTimer(), list[Painter]()
    widget.desk.session_changed.connect(lambda _: QTimer.singleShot(0, begin))
    widget.bar.folder.setValue(folder / "session")
    widget.bar.start_button.click()
    napari.run(force=True)


class Painter:
    """Paints spots, and tells which of them are on disk."""

    def __init__(self, reviewing: Any, tell: Any) -> None:
        self._open, self._tell = reviewing, tell
        self._painted = 0
        self._open.autosave.minute.connect(self._mark)

    def paint(self) -> None:
        """Paint a spot; now and then accept the slice on screen; at the end leave."""
        from qtpy.QtWidgets import QApplication

        from napari_unet_seg.session.review_queue import ReviewState

        if self._painted == _STROKES:
            self._open.autosave.finish()
            QApplication.quit()
            return
        place = _spot(self._painted)
        self._open.mask.data_setitem(tuple(np.array([axis]) for axis in place), 1)
        self._painted += 1
        if not self._painted % _DECIDED:
            self._open.decisions.decide(ReviewState.ACCEPTED)

    def _mark(self) -> None:
        """Tell how much had been painted when a save began, once it has ended."""
        painted = self._painted
        pool = self._open.autosave._pool  # noqa: SLF001 - only its queue knows when a save ends
        from qtpy.QtCore import QTimer

        QTimer.singleShot(0, lambda: pool.submit(self._tell, painted))


def _check(folder: Path, told: list[Any], tell: Any) -> None:
    from napari_unet_seg.session.session import Session

    found = Found()
    saved = [word for word in told if isinstance(word, int)]
    if not (folder / "session" / "session.json").exists():
        found.expect(not saved, "the session is missing")
        tell(found)
        return
    session = Session.open(folder / "session", hold=True)
    mask = session.load_mask()
    places = [_spot(number) for number in range(_STROKES)]
    missing = [place for place in places[: max(saved, default=0)] if not mask[place]]
    found.expect(not missing, f"{len(missing)} saved strokes are missing")
    mask[tuple(zip(*places, strict=True))] = 0
    found.expect(not mask.any(), "there is something that was not painted")
    mask[...] = 2
    session.save_mask(mask)
    session.close()
    again = Session.open(folder / "session", hold=True).load_mask()
    found.expect(np.array_equal(again, mask), "the next save is not what was saved")
    found.litter = hidden_files(folder / "session")
    tell(found)


WORKS = (Work("window: painting while it saves", 1, _prepare, _paint, _check, begins=_BEGINS),)


def main() -> bool:
    """Kill, and keep the figures; return whether anything was lost."""
    parser = parser_of(__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    with given_to(parser, kills=1) as given:
        processes.prepare_server("benchmarks.reliability.forks.warm_window")
        rows = kill_all(WORKS, given.kills, given.seed, given.scratch)
        figures = {"seed": given.seed, "works": rows}
        keep_figures("kill_window", figures, keep=not given.smoke)
        return any(row["lost"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
