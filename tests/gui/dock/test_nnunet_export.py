"""A data set for nnU-Net from the step Save, with the mouse, in a real window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from mouse import stroke
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_case_mask
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.sequences import OtherSequence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget

SHAPE = (3, 40, 48)


def click(widget: QWidget) -> None:
    assert widget.isVisible() and widget.isEnabled()
    assert not widget.visibleRegion().isEmpty(), f"{widget} is covered"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session on a case of two sequences, of which nothing is accepted yet."""
    scans = []
    for name in ("flair", "t1ce"):
        pixels = np.random.default_rng(0).normal(100, 9, SHAPE).astype(np.float32)
        path = tmp_path / f"P1_{name}.nii.gz"
        nib.save(nib.Nifti1Image(pixels.T, np.diag([-1.0, -1, 1, 1])), path)
        scans.append(read_scan(path))
    folder, other = tmp_path / "sessions" / "P1", OtherSequence("T1c", "P1 T1c", scans[1])
    categories = (Category(id=1, name="core"), Category(id=2, name="oedema"))
    prediction = np.zeros(SHAPE, np.uint8)
    prediction[0, 4:9, 4:9] = 1
    options: dict[str, Any] = {"sequence": "FLAIR", "others": [other]}
    Session.create(folder, scans[0], categories, prediction, **options)
    return folder


@pytest.mark.usefixtures("only_this_plugin")
def test_a_corrected_case_is_written_from_save_and_nothing_is_replaced(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], session: Path, tmp_path: Path
) -> None:
    remember("sessions_folder", str(session.parent))
    viewer = make_napari_viewer(show=True)
    dock = viewer.window.add_plugin_dock_widget("napari-unet-seg", "U-Net Seg")[1]
    page, review = dock.save_page, dock.correct.review
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())
    click(dock.steps.buttons[Step.SAVE])
    assert not page.nnunet_button.isEnabled()
    dock.open_session(session)
    qtbot.waitUntil(lambda: dock.correct.session is not None and not dock.correct.busy)
    mask = dock.correct.current_mask
    mask.mode, mask.brush_size, mask.selected_label = "paint", 3, 2
    stroke(qtbot, viewer, (20, 20), (20, 30))
    shown = viewer.dims.current_step[0]
    click(review.buttons["accept"])

    click(dock.steps.buttons[Step.SAVE])
    click(page.nnunet_button)
    dialog = dock.nnunet.dialog
    assert dialog.folder.value() == tmp_path / "nnUNet_raw" / "Dataset001_P1"
    for number in (1, 2):
        click(dialog.export_button)
        written = tmp_path / "nnUNet_raw" / f"Dataset00{number}_P1"
        qtbot.waitUntil(dialog.export_button.isEnabled)
        assert dialog.status.text() == f"Wrote {written} with 1 case."
    dialog.folder.line.setText(str(written))
    click(dialog.export_button)
    qtbot.waitUntil(dialog.export_button.isEnabled)
    assert dialog.status.text().startswith(f"Nothing was written. {written} exists already")

    [case] = plan_folder(written).cases
    assert list(case.sequences) == ["FLAIR", "T1c"]
    expected = np.full(SHAPE, IGNORE_INDEX)
    expected[shown] = mask.data[shown]
    assert (expected == 2).any()
    np.testing.assert_array_equal(read_case_mask(case).labels.data, expected)
    assert dict(plan_folder(written).categories) == {1: "core", 2: "oedema"}
    dialog.close()
