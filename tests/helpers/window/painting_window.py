"""A napari window in a process of its own that paints in a session and goes on until it is killed.

python painting_window.py SESSION SETTINGS PAINTED
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from mouse import stroke
from pages import add_page
from qtpy.QtCore import QSettings, QTimer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.session import autosave

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (4, 40, 50)
SHOWN = 2
STROKE = (12, 10), (30, 40)
INTERVAL_MS = 100


class Patience:
    """Waits as pytest-qt does, outside of a test."""

    def waitUntil(self, seen: Callable[[], bool]) -> None:
        """Let events pass until something is so."""
        end = time.monotonic() + 30
        while not seen():
            assert time.monotonic() < end
            QApplication.processEvents()


def main(folder: str, settings: str, painted: str) -> None:
    """Say `saved` once a stroke of the mouse is on disk; `painted` gets the mask as numpy."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
    autosave.INTERVAL_MS = INTERVAL_MS
    viewer = napari.Viewer()
    viewer.add_image(np.random.default_rng(0).integers(1, 200, SHAPE, np.uint8), name="head")
    mask: Any = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="head mask")
    widget: ReviewWidget = add_page(viewer, ReviewWidget)

    def paint() -> None:
        assert widget.desk.current is not None
        viewer.dims.set_point(0, SHOWN)
        viewer.layers.selection.active = mask
        mask.mode, mask.selected_label, mask.brush_size = "paint", 3, 4
        widget.desk.current.autosave.saved.connect(tell)
        stroke(Patience(), viewer, *STROKE)  # type: ignore[arg-type]

    def tell(_: object) -> None:
        if Path(painted).exists():
            return  # told already: the window may be killed at any time now
        if mask.data[SHOWN, *STROKE[1]]:  # else the stroke goes on
            np.save(painted, mask.data)
            print("saved", flush=True)

    widget.desk.session_changed.connect(lambda _: QTimer.singleShot(0, paint))
    widget.bar.folder.setValue(Path(folder))
    widget.bar.start_button.click()
    napari.run(force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
