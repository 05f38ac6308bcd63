from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import scene
from dicom_files import write_series
from pages import dock_of
from plans import accept_plan
from qtpy.QtWidgets import QFileDialog

from napari_unet_seg._napari.layers.layer_record import ModelFile, update_record
from napari_unet_seg._napari.layers.prediction import checksums, show_prediction
from napari_unet_seg._napari.layers.slice_values import SliceValues
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.scans import scans_of
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.folders import find_session
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CATEGORIES = scene.CATEGORIES[:1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A NIfTI, a TIFF, a damaged TIFF, a DICOM series in a folder, and what is none."""
    folder = tmp_path / "scans"
    folder.mkdir()
    voxels = np.random.default_rng(0).integers(1, 900, (20, 24, 5), np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([0.5, 0.5, 3, 1])), folder / "a.nii.gz")
    write_array(folder / "b.tif", np.ones((4, 12, 12), np.uint8), axes="ZYX")
    (folder / "c.tif").write_bytes(b"II*\0")
    write_series(folder / "d.1", [0.0, 1.0, 2.0])
    (folder / "notes.txt").write_text("")
    return folder


@pytest.fixture
def widget(
    dock: Callable[[type], Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ReviewWidget:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    return widget


def layers(widget: ReviewWidget) -> list[str]:
    return [layer.name for layer in widget.viewer.layers]


def open_folder(qtbot: QtBot, widget: ReviewWidget) -> None:
    dock_of(widget).open_page.folder_button.click()
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: "a" in layers(widget))


def segment(widget: ReviewWidget, *figures: float) -> Any:
    """Put a mask over the scan as Segment does, and tell how well it fits."""
    image = widget.viewer.layers[-1]
    labels = np.zeros(image.data.shape, np.uint8)
    labels[:, 3:9, 3:9] = 1
    sums = checksums(labels)
    mask = show_prediction(widget.viewer, image, None, labels, CATEGORIES, (), sums, ModelFile("m"))
    update_record(mask, predicted_dice=SliceValues(dict(zip(sums, figures, strict=False))))
    return mask


def go(qtbot: QtBot, widget: ReviewWidget, button: Any, text: str) -> None:
    button.click()
    assert widget.scans.bar.list_button.full_text.endswith(text)
    qtbot.waitUntil(lambda: widget.scans.bar.close_button.isEnabled())


def when_started(qtbot: QtBot, widget: ReviewWidget) -> Any:
    return qtbot.waitSignal(widget.desk.session_changed)


def started(qtbot: QtBot, widget: ReviewWidget) -> Any:
    """Open the folder, and start the session of its first scan; return its mask."""
    open_folder(qtbot, widget)
    with when_started(qtbot, widget):
        return segment(widget)


def test_scans_of_a_folder_follow_each_other(
    qtbot: QtBot, widget: ReviewWidget, notifications: list[str]
) -> None:
    bar = widget.scans.bar
    assert not bar.isVisibleTo(widget.window())
    open_folder(qtbot, widget)
    assert bar.isVisibleTo(widget.window())
    assert bar.list_button.full_text == "Scan 1 of 4: a.nii.gz"
    assert not bar.previous_button.isEnabled()
    np.testing.assert_array_equal(widget.viewer.layers["a"].scale, (3, 0.5, 0.5))
    go(qtbot, widget, bar.next_button, "2 of 4: b.tif")
    assert layers(widget) == ["b"]
    go(qtbot, widget, bar.next_button, "3 of 4: c.tif")
    assert "c.tif" in notifications[-1]
    assert layers(widget) == []
    go(qtbot, widget, bar.next_button, "4 of 4: d.1")
    assert layers(widget) == ["d.1"]
    assert not bar.next_button.isEnabled()
    go(qtbot, widget, bar.previous_button, "3 of 4: c.tif")
    go(qtbot, widget, bar.previous_button, "2 of 4: b.tif")
    bar.close_button.click()
    assert not bar.isVisibleTo(widget.window())
    assert layers(widget) == ["b"]


def test_a_case_opens_on_the_lesion_of_its_mask(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    case = folder / "case"
    case.mkdir()
    voxels = np.random.default_rng(0).normal(size=(20, 24, 9)).astype(np.float32)
    lesion, brain = np.zeros((2, 20, 24, 9), np.uint8)
    lesion[3:9, 3:9, 7], brain[2:18, 2:18] = 1, 1
    for name, array in {"T1c": voxels, "lesion_mask": lesion, "brainmask": brain}.items():
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), case / f"{name}.nii.gz")
    widget.scans.open_folder(case)
    qtbot.waitUntil(lambda: len(layers(widget)) == 3)
    assert widget.viewer.dims.current_step[0] == 7
    (shown,) = (layer for layer in widget.viewer.layers[1:] if layer.visible)
    assert shown.data.sum() == lesion.sum()
    assert widget.mask_combo.layer() is shown, "and the mask that is corrected is that on screen"


def test_the_next_scan_is_read_ahead_and_only_that(qtbot: QtBot, widget: ReviewWidget) -> None:
    open_folder(qtbot, widget)
    assert widget.scans.folder is not None
    reader, source = widget.scans.folder.reader, widget.scans.folder.reader.ahead
    assert source is not None
    [path] = source.files
    assert path.name == "b.tif"
    qtbot.waitUntil(lambda: reader.peek(source) is not None)
    path.write_bytes(b"")
    go(qtbot, widget, widget.scans.bar.next_button, "b.tif")
    assert layers(widget) == ["b"]
    assert reader.ahead.files[0].name == "c.tif"


def test_a_mask_starts_the_session_and_going_on_saves_it(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    bar = widget.scans.bar
    open_folder(qtbot, widget)
    with when_started(qtbot, widget):
        mask = segment(widget, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert widget.session is not None
    assert widget.session.folder == tmp_path / "sessions" / "a"
    qtbot.waitUntil(bar.next_button.isEnabled)
    assert widget.desk.current is not None
    index = widget.desk.current.shown.index
    mask.data_setitem((np.array([index]), np.array([0]), np.array([0])), 1)
    widget.review.buttons["accept"].click()
    go(qtbot, widget, bar.next_button, "b.tif")
    assert layers(widget) == ["b"]
    assert widget.session is None
    with when_started(qtbot, widget):
        segment(widget)
    qtbot.waitUntil(bar.previous_button.isEnabled)
    assert Session.open(tmp_path / "sessions" / "b").scan.path == tmp_path / "scans" / "b.tif"
    stored = Session.open(tmp_path / "sessions" / "a")
    assert stored.states[index] is ReviewState.CORRECTED
    assert stored.predicted_dice == (0.5, 0.6, 0.7, 0.8, 0.9)
    bar.previous_button.click()
    qtbot.waitUntil(lambda: widget.session is not None and widget.session.folder.name == "a")
    assert sorted(layers(widget)) == ["a", "a mask"]
    assert widget.desk.current.mask.data[index, 0, 0] == 1
    qtbot.waitUntil(lambda: not widget.desk.busy)


def test_a_scan_that_cannot_be_saved_stays(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, notifications: list[str]
) -> None:
    bar = widget.scans.bar
    mask = started(qtbot, widget)
    qtbot.waitUntil(bar.next_button.isEnabled)
    masks = tmp_path / "sessions" / "a" / "masks"
    masks.rmdir()
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)
    bar.next_button.click()
    qtbot.waitUntil(lambda: "cannot be written" in (notifications or [""])[-1])
    assert widget.session is not None
    assert sorted(layers(widget)) == ["a", "a mask"]
    assert bar.list_button.full_text.startswith("Scan 1 of 4")
    masks.mkdir()
    go(qtbot, widget, bar.next_button, "b.tif")
    assert layers(widget) == ["b"]
    assert Session.open(tmp_path / "sessions" / "a").load_mask()[0, 0, 0] == 1


def test_layers_of_a_session_that_was_closed_go_with_their_scan(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    bar = widget.scans.bar
    open_folder(qtbot, widget)
    with when_started(qtbot, widget):
        segment(widget)
    qtbot.waitUntil(bar.next_button.isEnabled)
    widget.bar.close_button.click()
    go(qtbot, widget, bar.next_button, "b.tif")
    assert layers(widget) == ["b"]


def test_a_dicom_series_has_its_session_too(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    for path in (*folder.glob("*.tif"), folder / "a.nii.gz"):
        path.unlink()
    widget.scans.open_folder(folder)
    qtbot.waitUntil(lambda: layers(widget) == ["scans"])
    with when_started(qtbot, widget):
        segment(widget)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    widget.scans.go_to(0)
    qtbot.waitUntil(lambda: widget.session is not None)
    assert widget.session is not None
    assert widget.session.folder == tmp_path / "sessions" / "scans"
    assert sorted(layers(widget)) == ["scans", "scans mask"]
    qtbot.waitUntil(lambda: not widget.desk.busy)


def test_labels_that_were_in_no_session_stay(qtbot: QtBot, widget: ReviewWidget) -> None:
    open_folder(qtbot, widget)
    widget.viewer.add_labels(np.ones((5, 24, 20), np.uint8), name="mine")
    go(qtbot, widget, widget.scans.bar.next_button, "b.tif")
    assert sorted(layers(widget)) == ["b", "mine"]
    assert widget.session is None


def test_a_session_of_another_scan_of_the_same_name_is_left_alone(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    write_array(tmp_path / "a.tif", np.ones((2, 8, 8), np.uint8), axes="ZYX")
    other = Session.create(
        tmp_path / "sessions" / "a",
        read_scan(tmp_path / "a.tif"),
        CATEGORIES,
        np.zeros((2, 8, 8), np.uint8),
    )
    open_folder(qtbot, widget)
    assert widget.session is None
    with when_started(qtbot, widget):
        segment(widget)
    assert widget.session is not None
    assert widget.session.folder.name == "a-2"
    found = find_session(other.folder.parent, "a", Source((folder / "a.nii.gz",)))
    assert found is not None
    assert found.folder == widget.session.folder
    qtbot.waitUntil(lambda: not widget.desk.busy)


def test_of_two_sessions_on_a_scan_the_later_one_comes_back(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    bar = widget.scans.bar
    mask = started(qtbot, widget)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    widget.viewer.layers.remove(mask)
    assert widget.session is None
    with when_started(qtbot, widget):
        segment(widget)
    assert widget.session is not None
    assert widget.session.folder.name == "a-2"
    qtbot.waitUntil(bar.next_button.isEnabled)
    go(qtbot, widget, bar.next_button, "b.tif")
    states = widget.scans.folder.states
    qtbot.waitUntil(lambda: states.found[0] is not None and states.found[0].folder.name == "a-2")
    with when_started(qtbot, widget):
        bar.previous_button.click()
    assert widget.session.folder.name == "a-2"
    qtbot.waitUntil(lambda: not widget.desk.busy)


def test_a_folder_without_scans_is_told(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, notifications: list[str]
) -> None:
    for path in (*folder.glob("*.tif"), folder / "a.nii.gz", *(folder / "d.1").iterdir()):
        path.unlink()
    widget.scans.open_folder(folder)
    qtbot.waitUntil(lambda: bool(notifications))
    assert f"{folder} holds no scans; give a folder of" in notifications[-1]
    assert not widget.scans.bar.isVisibleTo(widget.window())


def test_what_counts_as_a_scan(folder: Path, tmp_path: Path) -> None:
    names = [scan.path.name for scan in scans_of(plan_folder(folder))]
    assert names == ["a.nii.gz", "b.tif", "c.tif", "d.1"]
    assert [scan.path for scan in scans_of(plan_folder(folder / "d.1"))] == [folder / "d.1"]
    with pytest.raises(DataError, match="is not a folder"):
        plan_folder(tmp_path / "missing")
