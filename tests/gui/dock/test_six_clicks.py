"""From opening a NIfTI to a saved, corrected NIfTI, with the mouse alone, in a real window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
from mouse import stroke
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QWidget

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.files.sample_data import sample_folder
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.dock.widget import UNetSegWidget

MOST = 6


class Clicks(QObject):
    """Clicks with the left button, and counts the clicks that widgets of the window receive."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def on(self, widget: QWidget) -> None:
        """Click on the middle of a widget that is on screen."""
        assert widget.isVisible(), f"{widget} is not on screen"
        assert widget.isEnabled(), f"{widget} is grey"
        assert not widget.visibleRegion().isEmpty(), f"{widget} is covered"
        widget.installEventFilter(self)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.MouseButtonPress:
            self.count += 1
        return False


def answer_file_dialog(clicks: Clicks, path: Path) -> None:
    """Type a name into the file dialog once it is open, and click on Open."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(50, answer)
            return
        try:
            # Typed letter by letter, it would get a list of completions, which takes the click.
            dialog.findChild(QLineEdit, "fileNameEdit").setText(str(path))
            buttons = dialog.findChild(QDialogButtonBox)
            clicks.on(buttons.button(QDialogButtonBox.StandardButton.Open))
            assert not dialog.isVisible(), "the dialog has taken the file"
        except BaseException:
            dialog.reject()  # nothing else would close it
            raise

    QTimer.singleShot(0, answer)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """The middle of the sample scan, alone in a folder."""
    (file,) = (f for f in sample_folder().glob("*.nii.gz") if "truth" not in f.name)
    image = nibabel.load(file)
    (tmp_path / "case").mkdir()
    path = tmp_path / "case" / "head.nii.gz"
    nibabel.save(image.slicer[:, :, 20:28], path)
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("only_this_plugin")
def test_a_corrected_nifti_in_six_clicks(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], scan: Path, tmp_path: Path
) -> None:
    remember("sessions_folder", str(tmp_path / "sessions"))
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    dock: UNetSegWidget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "U-Net Seg")[1]
    qtbot.waitExposed(dock.window())
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())
    clicks = Clicks()

    assert dock.steps.next is Step.OPEN
    answer_file_dialog(clicks, scan)
    clicks.on(dock.open_page.file_button)
    assert [layer.name for layer in viewer.layers] == ["head.nii.gz"]
    assert dock.steps.next is Step.SEGMENT
    with qtbot.waitSignal(dock.segment.finished) as done:
        clicks.on(dock.segment.form.segment_button)
    (mask,) = done.args
    predicted = mask.data.copy()
    areas = (predicted > 0).sum(axis=(1, 2))
    assert areas[viewer.dims.current_step[0]] == areas.max() > 0, "the lesion is on screen"
    assert " ml (" in dock.segment.form.result.text.text()
    assert dock.steps.next is Step.CORRECT
    with qtbot.waitSignal(dock.correct.desk.session_changed):
        clicks.on(dock.segment.form.result.correct_button)
    qtbot.waitUntil(lambda: not dock.correct.busy)

    mask.mode, mask.brush_size = "paint", 5
    stroke(qtbot, viewer, (30, 30), (30, 45))
    assert dock.steps.next is Step.SAVE
    clicks.on(dock.steps.buttons[Step.SAVE])
    with qtbot.waitSignal(dock.correct.written) as written:
        clicks.on(dock.save_page.save_button)
    qtbot.waitUntil(lambda: not dock.correct.busy)

    assert clicks.count <= MOST
    assert written.args == [scan.with_name("head_mask.nii.gz")]
    saved = nibabel.load(written.args[0])
    np.testing.assert_array_equal(read_labels(written.args[0]).data, mask.data)
    np.testing.assert_array_equal(saved.affine, nibabel.load(scan).affine)
    assert (mask.data != predicted).any()
    assert dock.steps.next is Step.OPEN
    (folder,) = (tmp_path / "sessions").iterdir()
    assert folder.name == "head"
    dock.correct.desk.close()
    np.testing.assert_array_equal(Session.open(folder).load_mask(), mask.data)
