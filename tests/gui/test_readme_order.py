"""The steps of the README, word by word with the mouse in a real window, on small data."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
from mouse import stroke
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QTabBar,
    QWidget,
)

from napari_unet_seg._napari.coco.widget import ImportCocoWidget
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files import open_window, sample_data
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg._napari.widgets.settings import remember

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

ROOT = Path(__file__).parents[2]
LEFT = Qt.MouseButton.LeftButton
SLICES = slice(20, 26)
"""Slices of the sample volumes that are kept, which a network draws in a moment."""


class Readme:
    """Presses what the steps of the README name in bold, one after another.

    Parameters
    ----------
    qtbot : QtBot
        Waits for menus to open.
    window : QWidget
        The main window.
    """

    def __init__(self, qtbot: QtBot, window: QWidget) -> None:
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        self.text = text.partition("## Step by step")[2].partition("\n## ")[0]
        self.names = [" ".join(n.split()) for n in re.findall(r"\*\*(.+?)\*\*", self.text, re.S)]
        self.qtbot, self.window = qtbot, window

    def press(self, name: str, within: QWidget | None = None) -> None:
        """Click on what is named next: a button, a tab, or an entry of the plugin's menu."""
        self._take(name)
        found = self._entry(name) or self._buttons(name, within) or self._tab(name, within)
        assert found, f"the README names {name!r}, which is not on screen"
        place, position = found
        assert place.isEnabled(), f"{name} is grey"
        QTest.mouseClick(place, LEFT, pos=position)

    def _take(self, name: str) -> None:
        assert self.names[:1] == [name], f"the README goes on with {self.names[:1]}"
        del self.names[0]

    def _buttons(self, name: str, within: QWidget | None) -> Any:
        pattern = re.escape(name).replace("…\\ ", r"\d+ ") + r"(\s+\[\w+\])?"
        every = (within or self.window).findChildren(QAbstractButton)
        shown = [b for b in every if b.isVisible() and not b.visibleRegion().isEmpty()]
        found = [b for b in shown if re.fullmatch(pattern, b.text().replace("&", ""))]
        assert len(found) < 2, f"several buttons are named {name}"
        return (found[0], found[0].rect().center()) if found else None

    def _tab(self, name: str, within: QWidget | None) -> Any:
        for bar in (within or self.window).findChildren(QTabBar):
            for at in range(bar.count()):
                if bar.isVisible() and bar.tabText(at) == name:
                    return bar, bar.tabRect(at).center()
        return None

    def _entry(self, name: str) -> Any:
        """Open the menu that the README leads through, if it names the entry there."""
        path = re.search(rf"\*(.+?) ›\* \*\*{re.escape(name)}\*\*", self.text)
        if path is None:
            return None
        menu: Any = self.window.menuBar()
        for step in (*path[1].split(" › "), name):
            entry = next(
                a for a in menu.actions() if re.fullmatch(step + r"( \(.*\))?", _plain(a.text()))
            )
            if step != name:
                QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())
                menu = entry.menu()
                self.qtbot.waitUntil(menu.isVisible)
        return menu, menu.actionGeometry(entry).center()


def _plain(text: str) -> str:
    return text.replace("&", "")


def choose_file(browse: Callable[[], None], path: Path) -> None:
    """Do what opens a file dialog, type a name into it and confirm."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(50, answer)
            return
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        dialog.setDirectory(str(path.parent))
        line.setText(path.name)
        button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
        QTest.mouseClick(button, LEFT)

    QTimer.singleShot(0, answer)
    browse()


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample data with few slices, which the window opens as its sample."""
    folder = tmp_path / "sample_data"
    shutil.copytree(ROOT / "sample_data", folder, ignore=shutil.ignore_patterns("*.py", "*truth*"))
    for file in folder.rglob("*.nii.gz"):
        volume = nibabel.load(file).slicer[:, :, SLICES]
        nibabel.save(nibabel.Nifti1Image(np.asarray(volume.dataobj), volume.affine), file)
    monkeypatch.setattr(sample_data, "sample_folder", lambda: folder)
    remember("sessions_folder", str(tmp_path / "sessions"))
    return folder


@pytest.fixture
def viewer(
    make_napari_viewer: Callable[..., Any], samples: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The viewer of the window that `make app` opens."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    monkeypatch.setattr(open_window, "new_viewer", lambda: viewer)
    monkeypatch.setattr("napari.run", lambda: None)
    open_window.open_window([], sample=True)
    return viewer


@pytest.mark.slow
@pytest.mark.usefixtures("only_this_plugin")
def test_the_readme_step_by_step(qtbot: QtBot, viewer: Any, samples: Path) -> None:
    window = viewer.window._qt_window
    dock = window.findChild(UNetSegWidget)
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())
    readme, reviewer, steps = Readme(qtbot, window), dock.correct, dock.steps

    with qtbot.waitSignal(dock.segment.finished) as done:
        readme.press("Segment", dock.segment)
    (mask,) = done.args
    with qtbot.waitSignal(reviewer.desk.session_changed):
        readme.press("Correct ›")
    qtbot.waitUntil(lambda: not reviewer.busy)
    mask.mode, mask.brush_size = "paint", 5
    stroke(qtbot, viewer, (40, 40), (40, 55))
    with qtbot.waitSignal(reviewer.desk.current.autosave.saved):
        readme.press("Accept")
    with qtbot.waitSignal(reviewer.desk.current.autosave.saved):
        QTest.mouseClick(reviewer.review.buttons["accept"], LEFT)
    readme.press("Save", steps)
    with qtbot.waitSignal(reviewer.written) as written:
        readme.press("Save", dock.save_page)
    assert written.args == [samples / "phantom-scan_mask.nii.gz"]
    qtbot.waitUntil(lambda: not reviewer.busy)

    readme.press("Correct", steps)
    readme.press("Fine-tune", reviewer.tabs)
    fine_tune = reviewer.fine_tune
    fine_tune.form.editor("epochs").value = 1
    readme.press("Fine-tune on … accepted slices")
    qtbot.waitUntil(lambda: bool(reviewer.session.rounds) and not fine_tune.panel.running)
    if fine_tune.question is not None:  # a single epoch on a stroke may well make it worse
        fine_tune.question.reject()

    readme.press("Open", steps)
    choose_file(lambda: readme.press("Open folder…"), samples / "patients")
    planner = reviewer.scans.planner
    qtbot.waitUntil(lambda: planner.dialog is not None and planner.dialog.isVisible())
    readme.press("Open", planner.dialog)
    bar = reviewer.scans.bar
    qtbot.waitUntil(lambda: dock.header.image_combo.currentText() == "phantom-22 T1c")
    qtbot.waitUntil(bar.next_button.isEnabled)
    readme.press("▸", bar)
    qtbot.waitUntil(lambda: dock.header.image_combo.currentText() == "phantom-23 T1c")
    assert record_of(dock.header.image_combo.layer()).sequence == "T1c"

    readme.press("Import COCO")
    qtbot.waitUntil(lambda: window.findChild(ImportCocoWidget) is not None)
    coco = window.findChild(ImportCocoWidget)
    annotations = samples / "coco" / "train" / "_annotations.coco.json"
    assert f"`{annotations.relative_to(samples.parent)}`" in readme.text
    with qtbot.waitSignal(coco.inspected):
        choose_file(lambda: QTest.mouseClick(coco.path_edit.button, LEFT), annotations)
    qtbot.waitUntil(coco.open_button.isEnabled)
    with qtbot.waitSignal(coco.opened) as opened:
        readme.press("Open images and masks")
    shown = [layer for layer in viewer.layers if layer.visible]
    assert shown == opened.args[0], "the scan of before is still on screen"
    assert viewer.dims.current_step[0] == 0
    qtbot.waitUntil(coco.write_box.write_button.isEnabled)
    with qtbot.waitSignal(coco.write_box.written):
        readme.press("Write data set")

    readme.press("Train U-Net")
    qtbot.waitUntil(lambda: window.findChild(TrainWidget) is not None)
    train = window.findChild(TrainWidget)
    qtbot.waitUntil(lambda: not train.start_button.visibleRegion().isEmpty())
    train.setValue(train.value().replace(epochs=1, image_size=64))
    train.output.setValue(samples.parent / "run")
    with qtbot.waitSignal(train.panel.finished):
        readme.press("Start training")
    qtbot.waitUntil(lambda: not train.panel.running)
    readme.press("Use in Segment")
    assert chosen_model.current_model() == samples.parent / "run" / "best.safetensors"
    assert readme.names == [], "these are in the README, and nobody has pressed them"
