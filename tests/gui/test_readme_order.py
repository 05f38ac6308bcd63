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

from napari_unet_seg._napari.files import sample_data
from napari_unet_seg._napari.layers.layer_record import record_of
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
    window : QWidget
        The main window.
    """

    def __init__(self, window: QWidget) -> None:
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        self.text = text.partition("## Step by step")[2].partition("\n## ")[0]
        self.names = [" ".join(n.split()) for n in re.findall(r"\*\*(.+?)\*\*", self.text, re.S)]
        self.window = window

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
            if menu is not self.window.menuBar():
                menu.aboutToShow.emit()
            entry = next(
                a for a in menu.actions() if re.fullmatch(step + r"( \(.*\))?", _plain(a.text()))
            )
            if step != name:
                QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())
                menu = entry.menu()
        return menu, menu.actionGeometry(entry).center()


def _plain(text: str) -> str:
    return text.replace("&", "")


def choose_file(browse: QWidget, path: Path) -> None:
    """Click on a button that opens a file dialog, type a name into it and confirm."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(50, answer)
            return
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        line.clear()
        QTest.keyClicks(line, str(path))
        button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
        QTest.mouseClick(button, LEFT)
        dialog.reject()  # it is closed already, unless the name was refused

    QTimer.singleShot(0, answer)
    QTest.mouseClick(browse, LEFT)


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


@pytest.mark.slow
@pytest.mark.usefixtures("only_this_plugin")
def test_the_readme_step_by_step(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], samples: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = fill_window(viewer)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())
    readme = Readme(window)
    reviewer, steps = dock.correct, dock.steps

    def idle() -> None:
        qtbot.waitUntil(lambda: not reviewer.busy)

    with qtbot.waitSignal(dock.segment.finished) as done:
        readme.press("Segment", dock.segment)
    (mask,) = done.args
    with qtbot.waitSignal(reviewer.desk.session_changed):
        readme.press("Correct ›")
    idle()
    mask.mode, mask.brush_size = "paint", 5
    stroke(qtbot, viewer, (40, 40), (40, 55))
    readme.press("Accept")
    with qtbot.waitSignal(reviewer.desk.current.autosave.saved):
        QTest.mouseClick(reviewer.review.buttons["accept"], LEFT)

    readme.press("Save", steps)
    with qtbot.waitSignal(reviewer.written) as written:
        readme.press("Save", dock.save_page)
    assert written.args == [samples / "phantom-scan_mask.nii.gz"]
    idle()

    readme.press("Correct", steps)
    readme.press("Fine-tune", reviewer.tabs)
    reviewer.fine_tune.form.editor("epochs").value = 1
    with qtbot.waitSignal(reviewer.fine_tune.finished):
        readme.press("Fine-tune on … accepted slices")
    qtbot.waitUntil(lambda: not reviewer.fine_tune.panel.running)

    readme.press("Open", steps)
    planner = reviewer.scans.planner
    readme._take("Open folder…")
    dock.open_page.folder_wanted.emit(samples / "patients")
    qtbot.waitUntil(lambda: planner.dialog is not None and planner.dialog.isVisible())
    readme.press("Open", planner.dialog)
    qtbot.waitUntil(lambda: record_of(dock.header.image_combo.layer()).case == "phantom-22")
    qtbot.waitUntil(reviewer.scans.bar.next_button.isEnabled)
    readme.press("▸", reviewer.scans.bar)
    qtbot.waitUntil(lambda: record_of(dock.header.image_combo.layer()).case == "phantom-23")
    assert dock.header.image_combo.layer().name == "phantom-23 T1c"
    assert record_of(dock.header.image_combo.layer()).sequence == "T1c"
