"""The page Save: what it proposes, and what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import tifffile
from dicom_files import write_series
from scene import CATEGORIES
from zarr_images import write_image

from napari_unet_seg._napari.dock.save_target import BINARY, COCO, NIFTI, SEG, TIFF, ZARR_LABEL
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SHAPE = (4, 20, 24)


def nifti(folder: Path) -> Path:
    path = folder / "head.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE[::-1], np.int16), np.eye(4)), path)
    return path


def tiff(folder: Path) -> Path:
    write_array(folder / "head.tif", np.ones(SHAPE, np.uint8), axes="ZYX")
    return folder / "head.tif"


def zarr(folder: Path) -> Path:
    write_image(folder / "head.zarr")
    return folder / "head.zarr"


def dicom(folder: Path) -> Path:
    write_series(folder / "head", [0.0, 1.0, 2.0, 3.0])
    return folder / "head"


@pytest.fixture
def opened(dock: Callable[[type], Any], only_this_plugin: None) -> Callable[[Path], UNetSegWidget]:
    """Open a scan, add a mask to it, and show the page."""

    def open_scan(path: Path) -> UNetSegWidget:
        widget: UNetSegWidget = dock(UNetSegWidget)
        widget.open_files([path])
        image = widget.viewer.layers[0]
        labels = np.zeros(image.data.shape, np.uint8)
        labels[1, 3:6, 4:8], labels[2, 3:5, 3:5] = 1, 2
        add_labels(widget.viewer, labels, image, CATEGORIES, "head mask")
        widget.go_to(Step.SAVE)
        return widget

    return open_scan


@pytest.mark.parametrize(
    ("make", "kind", "name"),
    [
        (nifti, NIFTI, "head_mask.nii.gz"),
        (tiff, TIFF, "head_mask.tif"),
        (zarr, ZARR_LABEL, "head.zarr/labels/mask"),
        (dicom, SEG, "head/head_mask.dcm"),
    ],
)
def test_a_click_saves_next_to_the_scan_in_its_format(
    qtbot: QtBot,
    opened: Callable[[Path], UNetSegWidget],
    tmp_path: Path,
    make: Callable[[Path], Path],
    kind: Any,
    name: str,
) -> None:
    widget = opened(make(tmp_path))
    path = tmp_path / name
    assert widget.save_page.format == kind
    with qtbot.waitSignal(widget.correct.written) as written:
        widget.save_page.save_button.click()
    assert written.args == [path]
    qtbot.waitUntil(lambda: not widget.correct.busy)
    assert widget.save_page.status.text() == f"Saved {path}"
    if kind != SEG:
        mask = widget.correct.current_mask
        np.testing.assert_array_equal(read_labels(path).data, mask.data)


def test_another_file_is_never_replaced_and_the_own_one_is(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    (tmp_path / "head_mask.tif").write_bytes(b"of a colleague")
    widget = opened(tiff(tmp_path))
    page, mask = widget.save_page, widget.correct.current_mask
    for value in (1, 2):
        mask.data[0, 0, 0] = value
        with qtbot.waitSignal(widget.correct.written) as written:
            page.save_button.click()
        qtbot.waitUntil(page.save_button.isEnabled)
        page.propose()
        assert written.args == [tmp_path / "head_mask-2.tif"]
        assert read_labels(written.args[0]).data[0, 0, 0] == value
    assert (tmp_path / "head_mask.tif").read_bytes() == b"of a colleague"


def test_a_file_that_is_typed_is_replaced_after_a_question_and_a_scan_never(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path, notifications: list[str]
) -> None:
    widget = opened(tiff(tmp_path))
    page, other = widget.save_page, tmp_path / "other.tif"
    other.write_bytes(b"of a colleague")
    page.path.setText(str(other))
    page.save_button.click()
    page.question.reject()
    assert not widget.correct.busy
    assert other.read_bytes() == b"of a colleague"
    page.save_button.click()
    with qtbot.waitSignal(widget.correct.written):
        next(b for b in page.question.buttons() if "Replace" in b.text()).click()
    qtbot.waitUntil(page.save_button.isEnabled)
    assert read_labels(other).data.any()
    assert widget.correct.review.status.text() == f"Saved {other}"
    page.path.setText(str(tmp_path / "no folder" / "a.tif"))
    page.save_button.click()
    qtbot.waitUntil(page.save_button.isEnabled)
    assert page.status.text().startswith("Not saved.")
    assert widget.correct.review.status.text() == ""
    scan = (tmp_path / "head.tif").read_bytes()
    page.save_wanted.emit(tmp_path / "head.tif", TIFF)
    assert (tmp_path / "head.tif").read_bytes() == scan
    assert "is an open scan" in notifications[-1]


def test_the_file_of_one_mask_is_not_proposed_for_another(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    page, first = widget.save_page, widget.correct.current_mask
    with qtbot.waitSignal(widget.correct.written):
        page.save_button.click()
        # Another mask is chosen while the first one is written.
        second = add_labels(
            widget.viewer, np.zeros(SHAPE, np.uint8), widget.viewer.layers[0], CATEGORIES, "other"
        )
    qtbot.waitUntil(page.save_button.isEnabled)
    assert widget.correct.current_mask is second
    assert page.path.text() == str(tmp_path / "head_mask-2.tif")
    widget.viewer.layers.selection.active = first
    assert page.path.text() == str(tmp_path / "head_mask.tif")


def test_the_line_on_a_saved_file_goes_with_its_mask(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    page, status = widget.save_page, widget.correct.review.status
    with qtbot.waitSignal(widget.correct.written):
        page.save_button.click()
    qtbot.waitUntil(page.save_button.isEnabled)
    assert status.text() == page.status.text() == f"Saved {tmp_path / 'head_mask.tif'}"
    widget.viewer.layers.remove(widget.correct.current_mask)
    assert status.text() == page.status.text() == ""


def test_what_is_painted_while_a_mask_is_written_is_still_to_be_saved(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    mask = widget.correct.current_mask
    with qtbot.waitSignal(widget.correct.written):
        widget.save_page.save_button.click()
        mask.paint((0, 3, 3), 1)
    assert widget.steps.next is Step.SAVE
    assert widget.save_page.status.text().endswith("; edited since.")
    qtbot.waitUntil(widget.save_page.save_button.isEnabled)
    with qtbot.waitSignal(widget.correct.written):
        widget.save_page.save_button.click()
    assert widget.steps.next is Step.OPEN


def stroke(mask: Any) -> None:
    """Paint as the mouse does: the stroke is drawn before it enters the history."""
    with mask.block_history():
        mask.paint((0, 3, 3), 1)


@pytest.mark.parametrize("edit", ["undo", "redo", "stroke"])
def test_an_edit_after_a_save_is_still_to_be_saved(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path, edit: str
) -> None:
    widget = opened(tiff(tmp_path))
    page, mask = widget.save_page, widget.correct.current_mask
    mask.paint((1, 3, 3), 1)
    if edit == "redo":
        mask.undo()
    with qtbot.waitSignal(widget.correct.written):
        page.save_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    assert widget.steps.next is Step.OPEN
    stroke(mask) if edit == "stroke" else getattr(mask, edit)()
    assert widget.steps.next is Step.SAVE
    assert page.status.text() == f"Saved {tmp_path / 'head_mask.tif'}; edited since."


def test_an_edit_of_a_mask_that_is_not_chosen_is_still_to_be_saved(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    viewer, first = widget.viewer, widget.correct.current_mask
    first.paint((1, 3, 3), 1)
    with qtbot.waitSignal(widget.correct.written):
        widget.save_page.save_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    second = add_labels(viewer, np.zeros(SHAPE, np.uint8), viewer.layers[0], CATEGORIES, "other")
    assert widget.correct.current_mask is second
    first.undo()
    assert widget.unsaved.is_edited(first)
    assert not widget.unsaved.is_edited(second)
    viewer.layers.selection.active = first
    assert widget.steps.next is Step.SAVE


def test_a_failed_save_takes_the_place_of_what_was_saved_before(
    qtbot: QtBot, opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    page = widget.save_page
    with qtbot.waitSignal(widget.correct.written):
        page.save_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    (tmp_path / "file").touch()
    page.path.setText(str(tmp_path / "file" / "mask.tif"))
    with qtbot.waitSignal(widget.correct.saver.failed):
        page.save_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    assert page.status.text().startswith("Not saved. ")
    assert "mask.tif" in page.status.text()


def test_a_read_only_folder_is_not_proposed(
    opened: Callable[[Path], UNetSegWidget], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = opened(tiff(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    widget.save_page.propose()
    assert widget.save_page.path.text() == str(tmp_path / "home" / "head_mask.tif")
    told = f"{tmp_path} cannot be written to, so the mask goes to {tmp_path / 'home'};"
    assert widget.save_page.status.text().startswith(told)


def test_formats_that_need_their_scan_are_offered_for_it_alone(
    opened: Callable[[Path], UNetSegWidget], tmp_path: Path
) -> None:
    widget = opened(tiff(tmp_path))
    combo = widget.save_page.format_combo
    names = [combo.itemText(i) for i in range(combo.count())]
    assert names == ["NIfTI", "TIFF", "COCO", "OME-Zarr", "Folder of 0/255 TIFFs"]
    assert widget.save_page.coco_options.isHidden()
    widget.save_page.setFormat(COCO)
    assert not widget.save_page.coco_options.isHidden()
    assert widget.save_page.path.text() == str(tmp_path / "head_mask.json")


def test_masks_of_0_and_255_are_a_folder(
    qtbot: QtBot,
    opened: Callable[[Path], UNetSegWidget],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widget = opened(tiff(tmp_path))
    monkeypatch.setattr(SaveDialog, "ask", lambda *_: (str(tmp_path / "binary"), ""))
    widget.save_page.setFormat(BINARY)
    with qtbot.waitSignal(widget.correct.written):
        widget.save_page.browse_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    labels = widget.correct.current_mask.data
    for value, category in enumerate(CATEGORIES, 1):
        files = sorted((tmp_path / "binary" / category.name).glob("*.tif"))
        stored = np.stack([tifffile.imread(file) for file in files])
        np.testing.assert_array_equal(stored, np.where(labels == value, 255, 0))


def test_a_label_of_an_ome_zarr_gets_another_name_but_no_other_place(
    qtbot: QtBot,
    opened: Callable[[Path], UNetSegWidget],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widget = opened(zarr(tmp_path))
    elsewhere = str(tmp_path / "elsewhere" / "lesion")
    monkeypatch.setattr(SaveDialog, "ask", lambda *_: (elsewhere, ""))
    with qtbot.waitSignal(widget.correct.written):
        widget.save_page.browse_button.click()
    qtbot.waitUntil(lambda: not widget.correct.busy)
    stored = read_labels(tmp_path / "head.zarr" / "labels" / "lesion")
    np.testing.assert_array_equal(stored.data, widget.correct.current_mask.data)
