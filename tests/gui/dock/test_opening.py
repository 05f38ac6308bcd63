"""What opening another case does to the case on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from plans import accept_plan
from qtpy.QtWidgets import QFileDialog, QPushButton
from scene import CATEGORIES, SHAPE

from napari_unet_seg._napari.dock.recent import add_recent
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def widget(dock: Callable[[type], Any], tmp_path: Path) -> UNetSegWidget:
    remember("sessions_folder", str(tmp_path / "sessions"))
    made: UNetSegWidget = dock(UNetSegWidget)
    return made


def scans(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        write_array(folder / f"{name}.tif", np.ones(SHAPE, np.uint8), axes="ZYX")
    return folder


def segmented(widget: UNetSegWidget, name: str) -> Any:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 5:9, 5:9] = 1
    image = widget.viewer.layers[name]
    return add_labels(widget.viewer, labels, image, CATEGORIES, f"{name} mask")


def open_folder(qtbot: QtBot, widget: UNetSegWidget, folder: Path, first: str) -> None:
    widget.open_folder(folder)
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: first in widget.viewer.layers)


def in_session(qtbot: QtBot, widget: UNetSegWidget, name: str) -> Any:
    """Put a mask on an image, and start its session."""
    mask = segmented(widget, name)
    if widget.correct.session is None and not widget.correct.busy:
        widget.go_to(Step.CORRECT)
    qtbot.waitUntil(lambda: widget.correct.session is not None and not widget.correct.busy)
    return mask


def test_another_folder_takes_the_place_of_the_one_on_screen(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    open_folder(qtbot, widget, scans(tmp_path / "one", "a", "b"), "a")
    in_session(qtbot, widget, "a")
    session = widget.correct.session
    assert session is not None
    open_folder(qtbot, widget, scans(tmp_path / "two", "c", "d"), "c")
    assert [layer.name for layer in widget.viewer.layers] == ["c"]
    assert widget.correct.session is None
    assert session.folder.is_dir(), "what was corrected is on disk"


def test_a_folder_hides_what_was_opened_otherwise(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    widget.viewer.add_image(np.ones(SHAPE, np.uint8), name="sample")
    open_folder(qtbot, widget, scans(tmp_path / "one", "a", "b"), "a")
    assert [layer.name for layer in widget.viewer.layers if layer.visible] == ["a"]


def test_a_session_that_cannot_be_saved_stays_when_a_folder_is_opened(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_folder(qtbot, widget, scans(tmp_path / "one", "a", "b"), "a")
    in_session(qtbot, widget, "a")
    current, folder = widget.correct.desk.current, widget.correct.scans.folder
    assert current is not None
    monkeypatch.setattr(current.autosave, "finish", lambda: False)
    widget.open_folder(scans(tmp_path / "two", "c", "d"))
    accept_plan(qtbot)
    assert widget.correct.desk.current is current
    assert widget.correct.scans.folder is folder


def test_the_page_follows_the_scan_and_a_session_goes_on_where_it_was_left(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    scans_bar = widget.correct.scans.bar
    open_folder(qtbot, widget, scans(tmp_path / "one", "a", "b"), "a")
    in_session(qtbot, widget, "a")
    assert widget.correct.desk.current is not None
    widget.correct.desk.current.shown.go_to(0)
    widget.correct.desk.current.decisions.decide(ReviewState.ACCEPTED)
    widget.show_step(Step.SAVE)
    scans_bar.next_button.click()
    qtbot.waitUntil(lambda: "b" in widget.viewer.layers)
    assert widget.step is Step.SEGMENT
    scans_bar.previous_button.click()
    qtbot.waitUntil(lambda: widget.correct.session is not None)
    assert widget.step is Step.CORRECT
    assert widget.correct.desk.current.shown.index == 1, "the slice to do after the accepted one"


def test_a_mask_beside_the_open_session_leaves_it_open(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path, notifications: list[str]
) -> None:
    folder = scans(tmp_path / "one", "a")
    widget.open_files([folder / "a.tif"])
    mask = in_session(qtbot, widget, "a.tif")
    session = widget.correct.session
    write_array(folder / "a_mask.tif", np.asarray(mask.data), axes="ZYX")
    widget.open_files([folder / "a_mask.tif"])
    assert widget.correct.session is session
    shown = [layer.name for layer in widget.viewer.layers if layer.visible]
    assert shown == ["a.tif", "a.tif mask", "a_mask.tif"]
    assert "a_mask.tif is shown beside the mask of the open session" in notifications[-1]


def test_no_mask_of_another_scan_is_chosen_for_a_scan_that_is_opened(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    folder = scans(tmp_path / "one", "a", "b")
    widget.open_files([folder / "a.tif"])
    mask = segmented(widget, "a.tif")
    widget.open_files([folder / "b.tif"])
    assert widget.correct.current_mask is None
    assert widget.steps.next is Step.SEGMENT
    write_array(folder / "a_mask.tif", np.asarray(mask.data), axes="ZYX")
    widget.open_files([folder / "a_mask.tif"])
    assert widget.correct.current_mask is widget.viewer.layers["a_mask.tif"]


def test_a_new_mask_says_that_the_session_of_the_last_is_closed(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path, notifications: list[str]
) -> None:
    widget.open_files([scans(tmp_path / "one", "a") / "a.tif"])
    first = in_session(qtbot, widget, "a.tif")
    second = segmented(widget, "a.tif")
    widget.segment.finished.emit(second)
    assert first.visible, "Segment hides what its mask covers, and shows it again on demand"
    widget.correct_mask(second)
    assert "Session a is saved and closed" in notifications[-1]


def test_the_dialogs_start_where_the_last_scans_are(
    widget: UNetSegWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: asked.append(a[2]) or ([], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: asked.append(a[2]) or "")
    add_recent("folder", scans(tmp_path / "patient", "a"))
    widget.open_page.file_button.click()
    widget.open_page.folder_button.click()
    assert asked == [str(tmp_path / "patient"), str(tmp_path)]


def test_a_file_that_is_no_scan_is_named_and_the_others_open(
    widget: UNetSegWidget, tmp_path: Path, notifications: list[str]
) -> None:
    folder = scans(tmp_path / "one", "a")
    (folder / "notes.txt").write_text("hello")
    widget.open_files([folder / "notes.txt", folder / "a.tif"])
    assert "notes.txt cannot be opened" in " ".join(notifications)
    assert [layer.name for layer in widget.viewer.layers] == ["a.tif"]


def test_a_session_is_told_from_the_folder_of_its_name(
    widget: UNetSegWidget, tmp_path: Path
) -> None:
    for kind, place in (("folder", "scans"), ("session", "sessions")):
        (tmp_path / place / "head").mkdir(parents=True)
        add_recent(kind, tmp_path / place / "head")
    widget.show_step(Step.OPEN)
    texts = [button.text() for button in widget.open_page.recent.findChildren(QPushButton)]
    assert [text.split(maxsplit=1)[1] for text in texts] == ["head (session)", "head"]
