"""A napari window in a process of its own that paints in a session and goes on until it is killed.

python painting_window.py SESSION SETTINGS
"""

from __future__ import annotations

import sys
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QSettings

from napari_unet_seg._napari import _autosave
from napari_unet_seg._napari.review import ReviewWidget

SHAPE = (4, 40, 50)
INTERVAL_MS = 100


def main(folder: str, settings: str) -> None:
    """Say `saved` once what was painted is on disk."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
    _autosave.INTERVAL_MS = INTERVAL_MS
    viewer = napari.Viewer(show=False)
    viewer.add_image(np.random.default_rng(0).integers(1, 200, SHAPE, np.uint8), name="head")
    mask = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="head mask")
    widget = ReviewWidget(viewer)
    viewer.window.add_dock_widget(widget)

    def paint(_: object) -> None:
        assert widget.reviewing is not None
        widget.reviewing.autosave.saved.connect(lambda _: print("saved", flush=True))
        mask.data_setitem((np.full(6, 2), np.full(6, 30), np.arange(6)), 3)

    widget.session_changed.connect(paint)
    widget.bar.folder.setValue(Path(folder))
    widget.bar.start_button.click()
    napari.run(force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
