"""Make the pictures of the documentation: the sample data in a real window, step by step.

    python docs/make_pictures.py [--out FOLDER] [--only PICTURE ...] [--smoke]

Runs the loop as a user would, on a copy of the sample data, and grabs the window after each step.
Where there is no display, start it with `xvfb-run -s "-screen 0 1920x1080x24"`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.QtCore import QEventLoop, QSettings, QTimer
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QApplication, QWidget

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg.correct.prompt_marks import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLUGIN = "napari-unet-seg"
WINDOW = (1366, 768)
THEME = "dark"
"""That of all pictures, whichever the desktop has."""
SAMPLE = Path(__file__).parents[1] / "sample_data" / "coco"
LONGEST = 600_000
ALL = (
    "import_coco",
    "objects",
    "train",
    "scans",
    "marks",
    "compare",
)


def wait(signal: Any, act: Callable[[], None]) -> None:
    """Do something and wait for the signal that tells it is done."""
    loop = QEventLoop()
    signal.connect(loop.quit)
    QTimer.singleShot(LONGEST, loop.quit)
    QTimer.singleShot(0, act)
    loop.exec()
    signal.disconnect(loop.quit)


def settle(milliseconds: int = 400) -> None:
    """Let what is throttled be drawn."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def until(condition: Callable[[], Any]) -> None:
    """Wait for what no signal tells."""
    while not condition():
        settle(50)


def close_toasts() -> None:
    """Close napari's notifications, which would lie over the picture."""
    for window in QApplication.topLevelWidgets():
        for toast in window.findChildren(NapariQtNotification):
            toast.close()


def grab(viewer: napari.Viewer, path: Path, popup: QWidget | None = None) -> None:
    """Save the window without toasts, with what is open over it."""
    close_toasts()
    settle()
    if popup is None:
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        return
    window = popup.parentWidget().window()
    picture = window.grab()
    with QPainter(picture) as painter:
        painter.drawPixmap(window.mapFromGlobal(popup.pos()), popup.grab())
    picture.save(str(path))
    popup.hide()


class Pictures:
    """One viewer a picture; the widgets are docked as the Plugins menu docks them."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch = folder, scratch
        shutil.copytree(SAMPLE, scratch / "coco")
        self.files = [
            scratch / "coco" / part / "_annotations.coco.json" for part in ("train", "valid")
        ]

    def viewer(self, *names: str) -> tuple[napari.Viewer, list[Any]]:
        """Open a window with widgets docked."""
        viewer = napari.Viewer()
        viewer.theme = THEME
        viewer.window.resize(*WINDOW)
        made = [viewer.window.add_plugin_dock_widget(PLUGIN, n, tabify=True)[1] for n in names]
        QApplication.processEvents()
        return viewer, made

    def correction(self) -> tuple[napari.Viewer, Any, Any]:
        """Open a window with the masks of the sample on the page Correct."""
        viewer, (dock,) = self.viewer("U-Net Seg")
        dock.show_step(Step.CORRECT)
        return viewer, dock.correct, viewer.open_sample(PLUGIN, "coco")[-1]

    def grab(self, viewer: napari.Viewer, name: str, popup: QWidget | None = None) -> None:
        """Save the window, with what is open over it, and close it."""
        grab(viewer, self.folder / f"{name}.png", popup)
        viewer.close()

    def import_coco(self) -> None:
        """The table before a COCO file is opened."""
        viewer, (widget,) = self.viewer("Import COCO")
        wait(widget.inspected, lambda: widget.setPath(self.files[0]))
        wait(widget.opened, widget.open)
        viewer.dims.set_current_step(0, 3)
        self.grab(viewer, "import")

    def objects(self) -> None:
        """Annotations as labels of their own, one of them new."""
        viewer, (widget,) = self.viewer("Import COCO")
        wait(widget.inspected, lambda: widget.setPath(self.files[0]))
        widget.values.setCurrentIndex(widget.values.findData("instances"))
        wait(widget.opened, widget.open)
        mask = viewer.layers.selection.active
        counts = [len(np.unique(plane)) for plane in mask.data]
        shown = int(np.argmax(counts))
        viewer.dims.set_current_step(0, shown)
        settle()
        legend = widget.legend
        legend.setValue(1 + legend.tree.names().index("oedema"))
        settle()
        rows, columns = np.nonzero(mask.data[shown])
        mask.brush_size = 9
        mask.paint((shown, int(rows.mean()) + 20, int(columns.mean())), mask.selected_label)
        settle()
        self.grab(viewer, "objects")

    def train(self) -> None:
        """A training that has run for a while, with its curves and a validation slice."""
        from napari_unet_seg.data.dataset_write import write_dataset
        from napari_unet_seg.io.coco.read import read_coco

        dataset = self.scratch / "dataset"
        for _ in write_dataset([read_coco(f) for f in self.files], dataset):
            pass
        viewer, (widget,) = self.viewer("Train U-Net")
        widget.source.folder.setValue(dataset)
        widget.output.setValue(self.scratch / "run")
        config = widget.value().replace(epochs=30, batch_size=4, image_size=128)
        widget.setValue(config)
        wait(widget.panel.finished, widget.start_button.click)
        until(lambda: not widget.panel.running)
        self.grab(viewer, "train")

    def scans(self) -> None:
        """The list of a folder's scans, some of them decided on."""
        viewer, (dock,) = self.viewer("U-Net Seg")
        segmenter, reviewer = dock.segment, dock.correct
        reviewer.bar.folder.setValue(self.scratch / "sessions" / "any")
        bar = reviewer.scans.bar
        reviewer.scans.open_folder(SAMPLE / "train")
        planner = reviewer.scans.planner
        until(lambda: planner.dialog is not None)
        planner.dialog.accept()
        for state in ("accept", "accept", "flag", "accept", "skip", "accept"):
            until(lambda: len(viewer.layers) == 1 and bar.next_button.isEnabled())
            wait(reviewer.desk.session_changed, segmenter.form.segment_button.click)
            until(bar.next_button.isEnabled)
            reviewer.review.buttons[state].click()
            settle()
            bar.next_button.click()
        until(lambda: len(viewer.layers) == 1 and bar.next_button.isEnabled())
        wait(reviewer.desk.session_changed, segmenter.form.segment_button.click)
        dock.steps.buttons[Step.CORRECT].click()
        settle(1000)
        bar.list_button.click()
        settle(1000)
        self.grab(viewer, "scans", bar.scans)

    def compare(self) -> None:
        """A mask that was painted on, beside the prediction it started from."""
        viewer, widget, mask = self.correction()
        widget.bar.folder.setValue(self.scratch / "compare")
        wait(widget.desk.session_changed, widget.bar.start_button.click)
        areas = (np.asarray(mask.data) > 0).sum(axis=(1, 2))
        viewer.dims.set_current_step(0, int(areas.argmax()))
        mask.selected_label, mask.brush_size = 2, 20
        rows, columns = np.nonzero(mask.data[int(areas.argmax())] == 2)
        mask.paint((int(areas.argmax()), int(rows.max()), int(columns.mean())), 2)
        mask.opacity = 0.3
        widget.tabs.setCurrentWidget(widget.compare)
        widget.compare.contours.setChecked(True)
        wait(widget.compare.compared, widget.compare.compare_slice)
        settle(1000)
        self.grab(viewer, "compare")

    def marks(self) -> None:
        """A tumour that a click has outlined, and the outline that another click would give."""
        viewer, widget, mask = self.correction()
        widget.bar.folder.setValue(self.scratch / "marks")
        wait(widget.desk.session_changed, widget.bar.start_button.click)
        areas = (np.asarray(mask.data) == 1).sum(axis=(1, 2))
        shown = int(areas.argmax())
        viewer.dims.set_current_step(0, shown)
        tools = widget.tools
        widget.tabs.setCurrentWidget(tools)
        mask.selected_label = 1
        drawn = np.argwhere(mask.data[shown] == 1)
        mask.data[shown][mask.data[shown] == 1] = 0
        tools.prompts.choose("point")
        row, column = drawn.mean(0).tolist()
        prompt = Prompt("click", True, ((row, column),))
        wait(tools.prompts.solved, lambda: tools.prompts.point.give(prompt, (shown,)))
        self.grab(viewer, "marks")


def parser_of(doc: str, file: str = "", smoke: str = "one picture") -> argparse.ArgumentParser:
    """Make the parser of a script of pictures: its file or folder, and what `--smoke` makes."""
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images" / file)
    parser.add_argument("--smoke", action="store_true", help=f"{smoke}; nothing is kept")
    return parser


@contextmanager
def given_to(parser: argparse.ArgumentParser) -> Iterator[argparse.Namespace]:
    """Parse the command line; with `--smoke` all goes into `scratch`, which is removed."""
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # What the user's own widgets remember is neither shown nor changed.
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        given.scratch = Path(scratch)
        if given.smoke:
            given.out = given.scratch / given.out.name
        yield given


def main() -> None:
    """Make them all, or those that are named; with --smoke one, into a folder that is removed."""
    parser = parser_of(__doc__)
    parser.add_argument("--only", nargs="*", choices=ALL, default=ALL)
    with given_to(parser) as given:
        given.out.mkdir(parents=True, exist_ok=True)
        pictures = Pictures(given.out, given.scratch)
        for name in ("marks",) if given.smoke else given.only:
            getattr(pictures, name)()


if __name__ == "__main__":
    main()
