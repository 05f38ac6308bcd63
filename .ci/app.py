"""Opens napari on the sample scan, presses Segment, and keeps a picture and the mask.

Run as `python .ci/app.py [FOLDER]` where nobody looks at the screen. Leaves app.png, mask.tif and
mask.json in the folder, and ends with 1 and the reason if there is no mask.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.files.open_window import new_viewer
from napari_unet_seg.config import IGNORE_INDEX

PLUGIN = "napari-unet-seg"
WINDOW = (1600, 1000)
LONGEST = 300
"""Seconds after which something must be wrong."""


class Visit:
    """One visit to the program, from the sample to the saved mask."""

    def __init__(self, folder: Path) -> None:
        """Open the window as `napari-unet-seg open --sample` does."""
        self.folder = folder
        self.failure: str | None = f"no mask after {LONGEST} s"
        self.viewer = new_viewer()
        self.viewer.window.resize(*WINDOW)
        self.viewer.open_sample(PLUGIN, "scan")
        _, dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
        self.widget = dock.segment
        dock.show_step(Step.SEGMENT)
        self.widget.finished.connect(self.end)

    def press_segment(self) -> None:
        """Press the button, as a user would."""
        self.widget.form.segment_button.click()

    def end(self, mask: Any) -> None:
        """Save the mask, show the middle of it, take the picture and leave."""
        try:
            self.failure = self.widget.form.status.text() if mask is None else self.save(mask)
        finally:
            QApplication.exit()  # quit() would close the window on Qt 6, before it is asked to

    def save(self, mask: Any) -> str | None:
        """Write everything; return what is wrong with the mask, if anything."""
        labels = np.asarray(mask.data)
        areas = ((labels > 0) & (labels != IGNORE_INDEX)).sum(axis=(1, 2))
        # The middle of what is found, not a lone slice with a large mistake.
        shown = int(np.convolve(areas, np.ones(5), "same").argmax())
        self.viewer.dims.set_current_step(0, shown)
        QApplication.processEvents()
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("mask.tif", "mask.json"):
            mask.save(str(self.folder / name), plugin=PLUGIN)
        self.viewer.screenshot(str(self.folder / "app.png"), canvas_only=False, flash=False)
        print(f"Window   {self.folder / 'app.png'}")
        print(f"Mask     {self.folder / 'mask.tif'}, and as COCO {self.folder / 'mask.json'}")
        print(f"Segment  {self.widget.form.status.text()}")
        return None if areas.any() else "the mask is empty"


def main(folder: Path) -> int:
    """Return the exit status."""
    visit = Visit(folder)
    QTimer.singleShot(0, visit.press_segment)
    QTimer.singleShot(LONGEST * 1000, QApplication.exit)
    napari.run()
    visit.viewer.close()
    if visit.failure is not None:
        print(f"make app failed: {visit.failure}", file=sys.stderr)
    return 0 if visit.failure is None else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build")))
