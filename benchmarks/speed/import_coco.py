"""The time and memory of opening a COCO data set, in a real window.

    python -m benchmarks.speed.import_coco ANNOTATIONS.json [--repeats 5] [--json FILE]

Each repeat is a new process with a new napari window. The clock starts when the file is chosen in
the Import COCO widget, its button is pressed as soon as it can be, and the clock stops when the
canvas has drawn images and masks. Memory is that of the whole process, napari included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import SAMPLES

EXPLAINED = {
    "table_s": "until the table is shown, seconds",
    "screen_s": "until images and masks are drawn, seconds",
    "memory_mb": "memory of the process, MB",
}


def measure(path: Path) -> dict[str, float]:
    """Open a window and the data set in it."""
    import napari
    import psutil
    from qtpy.QtCore import QEventLoop
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()
    viewer.window.resize(1600, 1000)
    _, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Import COCO")
    QApplication.processEvents()
    wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    start = time.perf_counter()
    widget.setPath(path)
    while not widget.open_button.isEnabled():
        QApplication.processEvents(wait)
    table = time.perf_counter() - start
    widget.open_button.click()
    while not (len(viewer.layers) and widget.open_button.isEnabled()):
        QApplication.processEvents(wait)
    viewer.screenshot(flash=False)
    screen = time.perf_counter() - start
    memory = psutil.Process().memory_info().rss / 1e6
    viewer.close()
    return {"table_s": table, "screen_s": screen, "memory_mb": memory}


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    sample = SAMPLES / "coco" / "train" / "_annotations.coco.json"
    with given_to(parser, path=sample, repeats=1) as given:
        if given.path is None:
            parser.error("name the COCO file, or give --smoke")
        if given.repeats == 0:  # one of the processes started below
            sys.stdout.write(json.dumps(measure(given.path)) + "\n")
            return
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            __spec__.name,
            str(given.path),
            "--repeats",
            "0",
        ]
        runs = [
            json.loads(
                subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1]
            )
            for _ in range(given.repeats)
        ]
        table = {
            name: {"median": median(run[name] for run in runs), "worst": max(r[name] for r in runs)}
            for name in EXPLAINED
        }
        for name, meaning in EXPLAINED.items():
            row = table[name]
            sys.stdout.write(f"{meaning:45} {row['median']:8.2f} {row['worst']:8.2f}\n")
        if given.json:
            given.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
