from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scene
from mouse import canvas_of
from napari._qt.utils import QImg2array
from pages import add_page, dock_of
from plans import accept_plan
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QWidget

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.scans.bar import ElidingButton
from napari_unet_seg._napari.scans.scan_list import ScanList
from napari_unet_seg._napari.scans.states import ScanStates
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session import folders
from napari_unet_seg.session.review_queue import Order, ReviewState
from napari_unet_seg.session.scan_review import ScanReview, scan_review
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CATEGORIES = scene.CATEGORIES[:1]
T, A, C, S, F = ReviewState
SHAPE = (3, 40, 40)
REVIEWS = {
    "a": ((A, C, S), (0.9, 0.8, 0.7)),
    "b": ((T, A, T), (0.5, None, 0.6)),
    "c": ((T, T, T), (0.2, 0.3, 0.4)),
    "d": ((A, F, A), ()),
}
"""States and predicted Dice of the scans that have a session; e and f have none."""
NAMES = ("a", "b", "c", "d", "e", "f")
LEFT, RETURN = Qt.MouseButton.LeftButton, Qt.Key.Key_Return


def store(folder: Path, path: Path, states: Sequence[ReviewState], figures: Any) -> Session:
    """A session whose mask is largest on the last slice."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:2, 20:22, 20:22] = 1
    labels[2, 10:20, 10:20] = 1
    origin = Origin(scan=str(path))
    layers = LayersRecord(image=path.stem, mask=f"{path.stem} mask")
    session = Session.create(
        folder,
        read_scan(path),
        CATEGORIES,
        labels,
        predicted_dice=figures,
        origin=origin,
        layers=layers,
    )
    for index, state in enumerate(states):
        session.set_states({index: state})
    session.save()
    return session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six scans, whose slices are of one grey value each, and sessions on four of them."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        planes = np.arange(3)[:, None, None] + 10 * number + 50
        voxels = np.broadcast_to(planes, SHAPE).astype(np.uint8)
        write_array(folder / f"{name}.tif", voxels, axes="ZYX")
    for name, review in REVIEWS.items():
        store(tmp_path / "sessions" / name, folder / f"{name}.tif", *review)
    return folder


@pytest.fixture
def widget(make_napari_viewer: Callable[..., Any], tmp_path: Path) -> ReviewWidget:
    viewer = make_napari_viewer(show=True)  # thumbnails are drawn as rows are painted
    widget: ReviewWidget = add_page(viewer, ReviewWidget)
    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    return widget


def opened(qtbot: QtBot, widget: ReviewWidget, name: str) -> None:
    """Wait until a scan is open, with its session if it has one."""
    bar = widget.scans.bar
    qtbot.waitUntil(lambda: bar.list_button.full_text.endswith(f": {name}.tif"))
    qtbot.waitUntil(bar.close_button.isEnabled)
    assert name in widget.viewer.layers
    assert (widget.session is not None) == (name in REVIEWS)


def open_folder(qtbot: QtBot, widget: ReviewWidget, folder: Path, name: str = "b") -> None:
    widget.scans.open_folder(folder)
    accept_plan(qtbot)
    opened(qtbot, widget, name)
    dock_of(widget).show_step(Step.CORRECT)


def show_list(qtbot: QtBot, widget: ReviewWidget) -> ScanList:
    scans = widget.scans.bar.scans
    QTest.mouseClick(widget.scans.bar.list_button, LEFT)
    qtbot.waitUntil(scans.isVisible)
    return scans


def rows(scans: ScanList) -> list[tuple[str, ...]]:
    """Name, predicted Dice and state of every row."""
    model = scans.table.slices
    return [
        tuple(model.data(model.index(row, column)) for column in (1, 2, 3))
        for row in range(model.rowCount())
    ]


def names(scans: ScanList) -> str:
    return "".join(name.removesuffix(".tif") for name, *_ in rows(scans))


def click(scans: ScanList, row: int) -> None:
    table = scans.table
    spot = table.visualRect(table.slices.index(row, 1)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=spot)


def choose(combo: Any, text: str) -> None:
    """Choose an entry by the arrow keys."""
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    while not combo.currentText().startswith(text):
        before = combo.currentIndex()
        QTest.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentIndex() > before


def press(widget: ReviewWidget, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key over napari's canvas."""
    QTest.keyClick(canvas_of(widget.viewer), key, modifier)


def colours(scans: ScanList, row: int) -> set[tuple[int, ...]]:
    """Colours in the thumbnail of a row, as it is on screen."""
    table = scans.table
    rect = table.visualRect(table.slices.index(row, 0))
    pixels = QImg2array(table.viewport().grab(rect).toImage())[..., :3]
    return {tuple(int(v) for v in pixel) for pixel in pixels.reshape(-1, 3)}


TUMOUR = QColor(category_colour("tumour")).getRgb()[:3]


def test_the_scans_are_listed_with_what_is_known_of_them(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    open_folder(qtbot, widget, folder)
    scans = show_list(qtbot, widget)
    assert rows(scans) == [
        ("a.tif", "0.80", "✎ corrected"),
        ("b.tif", "0.55", "○ 1 of 3"),
        ("c.tif", "0.30", "○ to do"),
        ("d.tif", "–", "⚑ flagged"),
        ("e.tif", "–", "○ to do"),
        ("f.tif", "–", "○ to do"),
    ]
    assert scans.bar.progress.text() == "1 of 6 scans done"
    assert scans.table.selected_scan == 1
    QTest.keyClick(scans, Qt.Key.Key_Escape)
    assert not scans.isVisible()
    assert widget.session is not None


def test_a_click_on_a_row_saves_and_opens_that_scan(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    open_folder(qtbot, widget, folder)
    assert widget.desk.current is not None
    widget.desk.current.mask.data_setitem((np.array([0]), np.array([1]), np.array([2])), 1)
    scans = show_list(qtbot, widget)
    click(scans, 4)
    assert not scans.isVisible()
    opened(qtbot, widget, "e")
    assert [layer.name for layer in widget.viewer.layers] == ["e"]
    assert Session.open(tmp_path / "sessions" / "b").load_mask()[0, 1, 2] == 1
    click(show_list(qtbot, widget), 2)
    opened(qtbot, widget, "c")
    click(show_list(qtbot, widget), 2)
    assert widget.session is not None


def test_arrows_and_enter_choose_a_row(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> None:
    open_folder(qtbot, widget, folder)
    scans = show_list(qtbot, widget)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, RETURN):
        QTest.keyClick(scans.table, key)
    opened(qtbot, widget, "c")
    assert not scans.isVisible()


def test_a_scan_that_cannot_be_saved_is_not_left(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path, notifications: list[str]
) -> None:
    open_folder(qtbot, widget, folder)
    assert widget.desk.current is not None
    masks = tmp_path / "sessions" / "b" / "masks"
    masks.rmdir()
    widget.desk.current.mask.data_setitem((np.array([0]), np.array([1]), np.array([2])), 1)
    click(show_list(qtbot, widget), 2)
    qtbot.waitUntil(lambda: "cannot be written" in (notifications or [""])[-1])
    opened(qtbot, widget, "b")
    masks.mkdir()


def test_worst_first_is_kept_to_by_the_arrows_and_by_what_is_read_ahead(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "sessions" / "d")
    open_folder(qtbot, widget, folder)
    bar, scans = widget.scans.bar, show_list(qtbot, widget)
    choose(scans.bar.order_combo, "Worst")
    assert names(scans) == "cbadef"
    assert bar.list_button.full_text == "Scan 2 of 6: b.tif"
    scans.hide()
    bar.previous_button.click()
    opened(qtbot, widget, "c")
    assert not bar.previous_button.isEnabled()
    assert widget.scans.folder is not None
    reader = widget.scans.folder.reader
    for name in "ba":
        assert reader.ahead is None
        bar.next_button.click()
        opened(qtbot, widget, name)
    assert reader.ahead is not None
    assert reader.ahead.files[0].name == "d.tif"
    bar.close_button.click()
    widget.desk.close()
    widget.viewer.layers.clear()
    open_folder(qtbot, widget, folder, "c")
    another = ScanList()
    qtbot.addWidget(another)
    assert another.bar.order is Order.WORST_FIRST


def test_the_filter_is_kept_to_by_the_arrows_and_by_what_is_read_ahead(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    open_folder(qtbot, widget, folder)
    bar, scans = widget.scans.bar, show_list(qtbot, widget)
    combo = scans.bar.filter_combo
    texts = [combo.itemText(row) for row in range(combo.count())]
    assert texts[:3] == ["All (6)", "To do (4)", "Accepted (0)"]
    choose(combo, "Flagged")
    assert rows(scans) == [("d.tif", "–", "⚑ flagged")]
    assert not bar.previous_button.isEnabled()
    choose(combo, "To do")
    assert names(scans) == "bcef"
    scans.hide()
    bar.next_button.click()
    opened(qtbot, widget, "c")
    assert widget.scans.folder is not None
    reader = widget.scans.folder.reader
    qtbot.waitUntil(lambda: reader.peek(Source((folder / "e.tif",))) is not None)
    bar.next_button.click()
    opened(qtbot, widget, "e")
    assert reader.ahead.files[0].name == "f.tif"


def test_the_open_scan_is_told_as_done_and_keys_go_on(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    open_folder(qtbot, widget, folder)
    note = widget.review.note
    widget.viewer.dims.set_point(0, 0)
    press(widget, Qt.Key.Key_A)
    scans = show_list(qtbot, widget)
    assert rows(scans)[1] == ("b.tif", "0.55", "○ 2 of 3")
    scans.hide()
    assert not note.isVisible()
    press(widget, Qt.Key.Key_S)
    assert note.text() == "This scan is done; ▸ [G] opens c.tif, the next to do."
    assert note.isVisible()
    assert rows(show_list(qtbot, widget))[1][2] == "✓ accepted"
    scans.hide()
    press(widget, Qt.Key.Key_G)
    opened(qtbot, widget, "c")
    assert not note.isVisible()
    assert state_on_disk(tmp_path, "b") == (A, A, S)
    press(widget, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    opened(qtbot, widget, "b")
    assert note.isVisible()
    scans = show_list(qtbot, widget)
    assert scans.bar.progress.text() == "2 of 6 scans done"


def state_on_disk(tmp_path: Path, name: str) -> tuple[ReviewState, ...]:
    return Session.open(tmp_path / "sessions" / name).states


def test_the_keys_are_given_back_with_the_folder(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    pressed: list[str] = []
    widget.viewer.bind_key("G", lambda _: pressed.append("mine"))
    open_folder(qtbot, widget, folder)
    press(widget, Qt.Key.Key_G)
    opened(qtbot, widget, "c")
    assert not pressed
    widget.scans.bar.close_button.click()
    press(widget, Qt.Key.Key_G)
    assert pressed == ["mine"]


def test_a_thumbnail_shows_where_the_mask_is_largest(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    open_folder(qtbot, widget, folder)
    scans = show_list(qtbot, widget)
    for row in range(4):
        grey = 10 * row + 52
        wanted = {(grey, grey, grey), TUMOUR}
        qtbot.waitUntil(lambda r=row, w=wanted: w <= colours(scans, r))
        assert (grey - 1,) * 3 not in colours(scans, row), "of the slice before"


def test_only_what_is_open_or_read_ahead_has_a_thumbnail_without_a_session(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    open_folder(qtbot, widget, folder)
    click(show_list(qtbot, widget), 3)
    opened(qtbot, widget, "d")
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: (91, 91, 91) in colours(scans, 4))
    assert TUMOUR not in colours(scans, 4)
    qtbot.waitUntil(lambda: TUMOUR in colours(scans, 0))
    assert (101, 101, 101) not in colours(scans, 5)
    click(scans, 5)
    opened(qtbot, widget, "f")
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: (101, 101, 101) in colours(scans, 5))
    assert (91, 91, 91) in colours(scans, 4)


def test_what_is_painted_and_saved_is_seen_in_the_thumbnail(
    qtbot: QtBot, widget: ReviewWidget, folder: Path
) -> None:
    open_folder(qtbot, widget, folder)
    assert widget.desk.current is not None
    widget.desk.current.mask.data[0, :20] = 1
    wanted = {(60, 60, 60), TUMOUR}
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: wanted <= colours(scans, 1))
    click(scans, 2)
    opened(qtbot, widget, "c")
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: wanted <= colours(scans, 1))


def test_a_session_written_elsewhere_is_seen_when_the_list_opens(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    open_folder(qtbot, widget, folder)
    store(tmp_path / "sessions" / "e", folder / "e.tif", (A, A, A), (0.1, 0.1, 0.1))
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: rows(scans)[4] == ("e.tif", "0.10", "✓ accepted"))
    assert scans.bar.progress.text() == "2 of 6 scans done"


def test_a_damaged_session_counts_as_none(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "sessions" / "a" / "session.json").write_text("{")
    widget.scans.open_folder(folder)
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: "a" in widget.viewer.layers)
    assert rows(show_list(qtbot, widget))[0] == ("a.tif", "–", "○ to do")
    widget.scans.bar.scans.hide()


def test_slow_sessions_hold_up_nothing(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_folder(qtbot, widget, folder)
    gate, read = threading.Event(), []
    read_record = folders.read_record

    def slow(folder: Path) -> Any:
        if threading.current_thread() is not threading.main_thread():
            read.append(folder.name)
            gate.wait(30)
        return read_record(folder)

    monkeypatch.setattr(folders, "read_record", slow)
    record = widget.bar.parent_folder() / "c" / "session.json"
    record.write_bytes(record.read_bytes().replace(b'"to do"', b'"skipped"'))
    scans = show_list(qtbot, widget)
    qtbot.waitUntil(lambda: bool(read))
    assert rows(scans)[2][2] == "○ to do"
    scans.hide()
    widget.viewer.dims.set_point(0, 0)
    press(widget, Qt.Key.Key_A)
    assert rows(show_list(qtbot, widget))[1][2] == "○ 2 of 3"
    gate.set()
    qtbot.waitUntil(lambda: rows(scans)[2][2] == "– skipped")
    assert read.count("d") == 0


def test_the_open_session_knows_better_than_the_disk(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    states = ScanStates([Source((folder / f"{name}.tif",)) for name in "ab"], "ab")
    live = ScanReview(F, 3, 3, 0.1)
    states.set_open(0, live)
    for expected in (live, scan_review(*REVIEWS["a"])):
        with qtbot.waitSignal(states.refreshed):
            states.refresh(tmp_path / "sessions")
        assert states.reviews == [expected, scan_review(*REVIEWS["b"])]
        states.set_open(None)
        store_again(tmp_path / "sessions" / "a")
    states.close()


def store_again(folder: Path) -> None:
    Session.open(folder).save(always=True)


def test_rows_stay_marked_while_others_change(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    open_folder(qtbot, widget, folder)
    store(tmp_path / "sessions" / "e", folder / "e.tif", (A, A, A), (0.1, 0.1, 0.1))
    scans = show_list(qtbot, widget)
    for _ in range(2):
        QTest.keyClick(scans.table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: rows(scans)[4][2] == "✓ accepted")
    assert scans.table.selected_scan == 3


def test_a_long_name_is_cut_in_its_middle(qtbot: QtBot) -> None:
    button = ElidingButton()
    qtbot.addWidget(button)
    button.resize(160, 24)
    button.show()
    button.set_text("Scan 1 of 3: R&D, a name that is much too long.nii.gz")
    assert button.text().startswith("Scan 1")
    assert button.text().endswith(".gz  ▾")
    assert "…" in button.text()
    button.resize(900, 24)
    qtbot.waitUntil(lambda: "R&&D" in button.text())
    assert "…" not in button.text()


def test_the_sessions_of_the_folder_become_a_data_set_for_nnunet_and_stop_leaves_none(
    qtbot: QtBot, widget: ReviewWidget, folder: Path, tmp_path: Path
) -> None:
    store(tmp_path / "sessions" / "of another folder", folder / "a.tif", (A, A, A), ())
    (tmp_path / "sessions" / "d" / "session.json").write_text("{}")
    open_folder(qtbot, widget, folder)
    popup, raw = show_list(qtbot, widget), tmp_path / "nnUNet_raw"
    QTest.mouseClick(popup.export_button, LEFT)
    assert not popup.isVisible()
    dialog = dock_of(widget).nnunet.dialog
    assert dialog.folder.value() == raw / "Dataset001_scans"

    QTest.mouseClick(dialog.export_button, LEFT)
    [job] = jobs.active_jobs()
    job.pause()  # it would be over before the bar is shown
    qtbot.waitUntil(dialog.bar.stop_button.isVisible)
    QTest.mouseClick(dialog.bar.stop_button, LEFT)
    qtbot.waitUntil(dialog.export_button.isEnabled)
    assert dialog.status.text() == "Stopped; nothing was written."
    assert not raw.exists() or not any(raw.iterdir())

    QTest.mouseClick(dialog.export_button, LEFT)
    qtbot.waitUntil(dialog.export_button.isEnabled)
    wrote, note, left_out = dialog.status.text().splitlines()
    assert wrote == f"Wrote {raw / 'Dataset001_scans'} with 2 cases."
    assert note == "No slice of c is accepted yet, which is left out."
    assert left_out.startswith(
        f"Left out d: {tmp_path / 'sessions' / 'd' / 'session.json'} is damaged"
    )
    cases = plan_folder(raw / "Dataset001_scans").cases
    assert [case.name for case in cases] == ["a", "b"]
    dialog.close()


def test_the_list_stays_within_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(200, 100, 900, 600)
    bar = QLabel("bar", window)
    bar.setGeometry(500, 0, 400, 20)
    popup = ScanList(window)
    qtbot.addWidget(popup)
    with qtbot.waitExposed(window):
        window.show()
    popup.show_under(bar)
    assert popup.width() > bar.width()
    assert popup.geometry().right() <= window.geometry().right()
    popup.hide()
