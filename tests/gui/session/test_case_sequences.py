"""A case of several sequences in the window: the mask stays with the one that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Labels
from pages import add_page, dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.files.mask_path import proposed_mask_path
from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.layers.images.case import case_of, sequence_of
from napari_unet_seg._napari.layers.images.owner import image_of, record_image
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Image
    from napari.viewer import Viewer
    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget

SHAPE = (2, 64, 64)
PLUGIN = "napari-unet-seg"
MASKS = ("first", "second")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a patient with two sequences, whose files do not name the patient."""
    folder = tmp_path / "scans" / "brats_2013_pat0005_1"
    folder.mkdir(parents=True)
    for seed, name in enumerate(("Flair", "T1c")):
        voxels = np.random.default_rng(seed).normal(100, 30, SHAPE).astype(np.float32)
        path = folder / f"{name}_subtrMeanDivStd.nii.gz"
        nib.save(nib.Nifti1Image(voxels.T, np.diag([0.5, 0.5, 3, 1])), path)
    return folder


def open_files(viewer: Viewer, folder: Path) -> dict[str, Image]:
    """Open the sequences of a folder, the last one on top and active."""
    images = {}
    for path in sorted(folder.glob("*subtr*.nii.gz")):
        (layer,) = scan_layers(read_scan(path), path.name)
        images[path.name.partition("_")[0]] = viewer.add_image(layer[0], **layer[1])
    return images


def choose(combo: Any, name: str) -> None:
    """Choose an entry as a click in its list does."""
    combo.setCurrentIndex(combo.findText(name))
    combo.activated.emit(combo.currentIndex())


def segment(qtbot: QtBot, widget: SegmentWidget, image: Image) -> Labels:
    """Choose an image in Segment, and press the button."""
    choose(widget.form.image_combo, image.name)
    widget.form.setWhole(False)
    with qtbot.waitSignal(widget.finished, timeout=60_000) as waiter:
        QTest.mouseClick(widget.form.segment_button, Qt.MouseButton.LeftButton)
    (mask,) = waiter.args
    assert mask is not None, widget.form.status.text()
    return mask


def start(qtbot: QtBot, widget: ReviewWidget) -> None:
    dock_of(widget).show_step(Step.CORRECT)
    with qtbot.waitSignal(widget.desk.session_changed):
        QTest.mouseClick(widget.bar.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not widget.desk.busy)


def both(make_napari_viewer: Callable[[], Viewer]) -> tuple[SegmentWidget, ReviewWidget]:
    dock = dock_of(add_page(make_napari_viewer(), SegmentWidget))
    return dock.segment, dock.correct


def assert_session_follows(qtbot: QtBot, folder: Path, sessions: Path, *widgets: Any) -> None:
    """Segment FLAIR under T1c, look at both, correct it, and open the session again."""
    segmenting, review = widgets
    viewer = review.viewer
    images = open_files(viewer, folder)
    flair, t1c = images["Flair"], images["T1c"]
    case = folder.name
    review.bar.folder.setValue(sessions / "any")

    mask = segment(qtbot, segmenting, flair)
    assert (flair.visible, t1c.visible) == (True, False), "what is segmented is to be seen"
    for layer in (t1c, mask, flair, t1c):
        viewer.layers.selection.active = layer
        assert review.image_combo.layer() is flair
        assert review.current_image is flair
    assert review.bar.folder.value() == sessions / case
    assert proposed_mask_path(mask) == folder / "Flair_subtrMeanDivStd_mask.nii.gz"

    start(qtbot, review)
    stored = Session.open(sessions / case).record
    assert stored.origin.scan == str(folder / "Flair_subtrMeanDivStd.nii.gz")
    assert (stored.scan.sequence, stored.sequences[0].scan.sequence) == ("FLAIR", "T1c")

    review.desk.close()
    viewer.layers.clear()
    review.desk.open(sessions / case)
    qtbot.waitUntil(lambda: not review.desk.busy)
    names = [layer.name for layer in viewer.layers]
    assert names == [t1c.name, flair.name, mask.name]
    assert [layer.visible for layer in viewer.layers] == [False, True, True]
    assert [sequence_of(layer) for layer in viewer.layers[:2]] == ["T1c", "FLAIR"]
    assert {case_of(layer) for layer in viewer.layers} == {case}
    assert image_of(viewer.layers[2], viewer.layers[:2]).name == flair.name
    np.testing.assert_array_equal(viewer.layers[0].data, t1c.data)


def test_the_session_is_on_the_sequence_that_was_segmented(
    qtbot: QtBot, make_napari_viewer: Callable[[], Viewer], folder: Path, tmp_path: Path
) -> None:
    assert_session_follows(qtbot, folder, tmp_path / "sessions", *both(make_napari_viewer))


@pytest.mark.slow
def test_the_session_is_on_the_sequence_of_a_real_case_that_was_segmented(
    qtbot: QtBot, make_napari_viewer: Callable[[], Viewer], real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "nifti" / "brats_2013_pat0005_1"
    assert_session_follows(qtbot, folder, tmp_path / "sessions", *both(make_napari_viewer))


def test_the_other_masks_in_files_are_opened_again(
    qtbot: QtBot, make_napari_viewer: Callable[[], Viewer], folder: Path, tmp_path: Path
) -> None:
    _, review = both(make_napari_viewer)
    viewer, desk = review.viewer, review.desk
    images = open_files(viewer, folder)
    for row, name in enumerate(("first", "second", "later")):
        labels = np.zeros(SHAPE, np.uint8)
        labels[1, row] = 1
        nib.save(nib.Nifti1Image(labels.T, np.diag([0.5, 0.5, 3, 1])), folder / f"{name}.nii.gz")
    opened = {name: viewer.open(folder / f"{name}.nii.gz", plugin=PLUGIN)[0] for name in MASKS}
    for mask in opened.values():
        record_image(mask, images["Flair"])
    add_labels(viewer, np.zeros(SHAPE, np.uint8), images["Flair"], CATEGORIES, "in no file")
    dock_of(review).header.mask_combo.setLayer(opened["first"])
    review.bar.folder.setValue(tmp_path / "sessions" / "any")
    start(qtbot, review)
    (later,) = viewer.open(folder / "later.nii.gz", plugin=PLUGIN)
    record_image(later, images["Flair"])
    session = review.session
    assert session is not None
    desk.close()
    viewer.layers.clear()
    desk.open(session.folder)
    qtbot.waitUntil(lambda: not desk.busy)
    names = [layer.name for layer in viewer.layers if isinstance(layer, Labels)]
    assert names == [opened["second"].name, later.name, opened["first"].name]
    assert [layer.visible for layer in viewer.layers][-3:] == [False, False, True]
    flair = viewer.layers[images["Flair"].name]
    for layer in viewer.layers[-3:]:
        assert image_of(layer, [*viewer.layers]) is flair
    np.testing.assert_array_equal(viewer.layers[-3].data, opened["second"].data)
    viewer.layers.remove(viewer.layers[later.name])
    kept = review.session
    assert kept is not None
    qtbot.waitUntil(lambda: [mask.layer for mask in kept.record.masks] == [opened["second"].name])
    viewer.layers.clear()
    (written,) = Session.open(session.folder).record.masks
    assert written.layer == opened["second"].name, "only what is removed by itself stays away"


def test_another_image_is_recorded_when_the_user_chooses_it(
    qtbot: QtBot, make_napari_viewer: Callable[[], Viewer], folder: Path, tmp_path: Path
) -> None:
    segmenting, review = both(make_napari_viewer)
    images = open_files(review.viewer, folder)
    review.bar.folder.setValue(tmp_path / "sessions" / "any")
    mask = segment(qtbot, segmenting, images["Flair"])
    dock_of(review).show_step(Step.CORRECT)
    assert review.image_combo.isVisibleTo(review)
    choose(review.image_combo, images["T1c"].name)
    start(qtbot, review)
    assert review.session is not None
    assert review.session.record.scan.sequence == "T1c"
    assert image_of(mask, images.values()) is images["T1c"]
    assert review.session.folder.name == folder.name


@pytest.mark.parametrize("with_image", [False, True])
def test_a_deleted_mask_is_offered_back_with_its_session(
    qtbot: QtBot,
    make_napari_viewer: Callable[[], Viewer],
    folder: Path,
    tmp_path: Path,
    *,
    with_image: bool,
) -> None:
    segmenting, review = both(make_napari_viewer)
    viewer = review.viewer
    images = open_files(viewer, folder)
    review.bar.folder.setValue(tmp_path / "sessions" / "any")
    mask = segment(qtbot, segmenting, images["Flair"])
    start(qtbot, review)
    mask.data_setitem((np.array([1]), np.array([5]), np.array([6])), 1)
    painted = mask.data.copy()
    before = [layer.name for layer in viewer.layers]

    viewer.layers.selection = {mask, images["Flair"]} if with_image else {mask}
    viewer.layers.remove_selected()
    assert review.session is None
    assert not review.deleted.isHidden()
    assert review.deleted.message.text() == (
        f"The mask {mask.name} was deleted. Its session {folder.name} is saved and closed."
    )
    stored = Session.open(tmp_path / "sessions" / folder.name, hold=True)
    np.testing.assert_array_equal(stored.load_mask(), painted)
    stored.close()

    with qtbot.waitSignal(review.desk.session_changed):
        QTest.mouseClick(review.deleted.restore_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not review.desk.busy)
    assert {layer.name for layer in viewer.layers} == {*before}
    assert viewer.layers.index(mask) > viewer.layers.index(images["Flair"])
    assert review.session is not None
    assert review.session.folder == stored.folder
    assert review.desk.current is not None
    assert review.desk.current.mask is mask
    assert review.deleted.isHidden()
    np.testing.assert_array_equal(mask.data, painted)
    mask.undo()
    assert mask.data[1, 5, 6] != painted[1, 5, 6]


def test_a_declined_mask_stays_deleted(
    qtbot: QtBot, make_napari_viewer: Callable[[], Viewer], folder: Path, tmp_path: Path
) -> None:
    _, review = both(make_napari_viewer)
    images = open_files(review.viewer, folder)
    review.viewer.layers.selection.active = images["T1c"]
    mask = review.viewer.add_labels(np.zeros(SHAPE, np.uint8), scale=images["T1c"].scale)
    review.bar.folder.setValue(tmp_path / "sessions" / "any")
    start(qtbot, review)
    review.viewer.layers.remove(mask)
    QTest.mouseClick(review.deleted.decline_button, Qt.MouseButton.LeftButton)
    assert review.deleted.isHidden()
    assert mask not in review.viewer.layers
