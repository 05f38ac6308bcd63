"""The time of a click: from the press of Segment to the mask on the screen, in a real window.

    python -m benchmarks.speed.click [--repeats 15] [--wait 1] [--json FILE]

Opens napari, docks U-Net Seg, and presses its button on synthetic slices of 256×256 and
640×640 and on the sample volume, with the settings of a fresh installation. A press ends when the
canvas has drawn the mask. The first press follows the opening of the widget at once, or as late as
`--wait` says, and holds what is left of the start of the engine and the loading of the network.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QSettings, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from skimage.transform import resize

from benchmarks.common.options import given_to, parser_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

PLUGIN = "napari-unet-seg"
LONGEST = 120_000


def press(viewer: napari.Viewer, widget, image: Image) -> float:
    """Press the button on a layer; seconds until its mask has been drawn."""
    loop = QEventLoop()
    canvas = viewer.window._qt_viewer.canvas  # noqa: SLF001 (napari tells of no other way)
    answers = []

    def ended(mask: object) -> None:
        answers.append(mask)
        QTimer.singleShot(0, drawn)

    def drawn() -> None:
        canvas._scene_canvas.native.repaint()  # noqa: SLF001
        loop.quit()

    widget.form.image_combo.setLayer(image)
    widget.finished.connect(ended)
    QTimer.singleShot(LONGEST, loop.quit)
    start = time.perf_counter()
    widget.form.segment_button.click()
    loop.exec()
    seconds = time.perf_counter() - start
    widget.finished.disconnect(ended)
    if not answers or answers[0] is None:
        raise SystemExit(f"no mask: {widget.form.status.text()}")
    return seconds


def measure(
    repeats: int, wait: float, sizes: Sequence[int], *, volume: bool
) -> dict[str, dict[str, float]]:
    """Open the window, press, and return medians and worst times in milliseconds."""
    viewer = napari.Viewer()
    viewer.window.resize(1600, 1000)
    (scan,) = viewer.open_sample(PLUGIN, "scan")[:1]
    middle = np.asarray(scan.data[scan.data.shape[0] // 2])
    QApplication.processEvents()
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
    widget = dock.segment
    images = {
        f"{size}×{size}": viewer.add_image(resize(middle, (size, size)), name=str(size))
        for size in sizes
    }
    QTest.qWait(round(1000 * wait))
    largest = list(images)[-1]
    first = f"first press {wait:g} s after opening, {largest}"
    results = {first: [press(viewer, widget, images[largest])]}
    if volume:
        images["sample volume, 48 slices"] = scan
    for name, image in images.items():
        press(viewer, widget, image)
        results[name] = [press(viewer, widget, image) for _ in range(repeats)]
    viewer.close()
    return {
        name: {"median_ms": 1000 * median(times), "worst_ms": 1000 * max(times)}
        for name, times in results.items()
    }


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--wait", type=float, default=0, help="seconds before the first press")
    parser.add_argument("--json", type=Path)
    parser.set_defaults(sizes=(256, 640), volume=True)
    with given_to(parser, repeats=1, sizes=(64,), volume=False) as given:
        scratch = str(given.scratch)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        table = measure(given.repeats, given.wait, given.sizes, volume=given.volume)
        for name, times in table.items():
            sys.stdout.write(
                f"{name:40} {times['median_ms']:8.0f} ms {times['worst_ms']:8.0f} ms\n"
            )
        if given.json:
            given.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
