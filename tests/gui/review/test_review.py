from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from growth import LINEAR, growth
from mouse import canvas_of
from pages import dock_of
from pycocotools.coco import COCO
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES, PLACE, SHAPE, add_mask
from sessions import mask_of
from sessions import start_session as start

from napari_unet_seg._napari.categories.edits import add_category
from napari_unet_seg._napari.layers.conversion import add_map
from napari_unet_seg._napari.layers.layer_record import (
    LayerRecord,
    ModelFile,
    record_of,
    update_record,
)
from napari_unet_seg._napari.layers.locks import set_locked
from napari_unet_seg._napari.layers.prediction import checksums, show_prediction
from napari_unet_seg._napari.layers.slice_values import SliceValues
from napari_unet_seg._napari.review.slices_tab import SlicesTab
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.session import autosave
from napari_unet_seg._napari.widgets.queue.bar import QueueBar
from napari_unet_seg._napari.widgets.queue.table import QueueTable
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.io.images.tiff import read_tiff, write_array
from napari_unet_seg.session.predictions import Predictions
from napari_unet_seg.session.review_queue import Order, Queue, ReviewState, sorted_slices
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def widget(dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    """A widget over a scan with its prediction, placed askew in the world."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    voxels = np.random.default_rng(0).integers(1, 200, SHAPE, np.uint8)
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 10:20, 10:20] = 1
    labels[2, 30:34, 30:34] = 2
    viewer.add_image(voxels, name="head", **PLACE)
    add_mask(viewer, labels, **PLACE)
    viewer.dims.set_point(0, 10.0)
    return widget


def when_saved(qtbot: QtBot, widget: ReviewWidget) -> Any:
    assert widget.desk.current is not None
    return qtbot.waitSignal(widget.desk.current.autosave.saved)


def press(widget: ReviewWidget, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key over napari's canvas."""
    canvas = canvas_of(widget.viewer)
    QTest.keyClick(canvas, key, modifier)


def test_a_session_starts_from_the_layers(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    titles = [widget.tabs.tabText(i) for i in range(widget.tabs.count())]
    assert titles == ["Review", "Tools", "Compare", "Fine-tune"]
    assert widget.image_combo.layer().name == "head"
    assert widget.mask_combo.layer().name == "head mask"
    start(qtbot, widget, tmp_path / "s")
    stored = Session.open(tmp_path / "s")
    assert stored.categories == CATEGORIES
    np.testing.assert_array_equal(stored.prediction, mask_of(widget).data)
    assert stored.scan.spacing == (3, 0.5, 0.5)
    assert widget.review.bar.progress.text() == "0 / 4 reviewed"


def test_keys_accept_skip_and_move(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    start(qtbot, widget, tmp_path / "s")
    reviewing = widget.desk.current
    assert reviewing is not None
    assert reviewing.shown.index == 0
    with when_saved(qtbot, widget):
        press(widget, Qt.Key.Key_A)
    assert reviewing.shown.index == 1
    with when_saved(qtbot, widget):
        press(widget, Qt.Key.Key_S)
    assert reviewing.shown.index == 2
    press(widget, Qt.Key.Key_N)
    assert reviewing.shown.index == 3
    press(widget, Qt.Key.Key_N)
    assert reviewing.shown.index == 3
    press(widget, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert reviewing.shown.index == 2
    press(widget, Qt.Key.Key_D)
    assert widget.review.show_changes.isChecked()
    states = Session.open(tmp_path / "s").states
    assert states == (
        ReviewState.ACCEPTED,
        ReviewState.SKIPPED,
        ReviewState.TODO,
        ReviewState.TODO,
    )
    assert widget.review.bar.progress.text() == "2 / 4 reviewed"
    model = widget.review.table.slices
    shown = [model.data(model.index(i, 3))[2:] for i in range(4)]
    assert shown == [s.value for s in states]


def states_of(widget: ReviewWidget) -> list[str]:
    assert widget.session is not None
    return [str(state) for state in widget.session.states]


def paint(widget: ReviewWidget, slice_: int, value: int = 1) -> None:
    mask_of(widget).data_setitem((np.array([slice_]), np.array([1]), np.array([1])), value)


def test_an_accepted_slice_that_was_edited_is_a_corrected_one(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    press(widget, Qt.Key.Key_A)
    paint(widget, 1)
    press(widget, Qt.Key.Key_A)
    assert states_of(widget) == ["accepted", "corrected", "to do", "to do"]
    assert widget.fine_tune.start_button.text() == "Fine-tune on 2 accepted slices"
    widget.review.buttons["previous"].click()
    mask_of(widget).undo()
    qtbot.waitUntil(lambda: states_of(widget)[1] == "accepted")
    mask_of(widget).redo()
    qtbot.waitUntil(lambda: states_of(widget)[1] == "corrected")
    widget.bar.close_button.click()
    assert Session.open(tmp_path / "s").accepted == (0, 1)


def test_flagged_slices_wait_for_a_second_look(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    assert widget.desk.current is not None
    press(widget, Qt.Key.Key_Q)
    widget.review.buttons["flag"].click()
    assert widget.desk.current.shown.index == 2
    press(widget, Qt.Key.Key_A)
    press(widget, Qt.Key.Key_S)
    assert states_of(widget) == ["flagged", "flagged", "accepted", "skipped"]
    assert widget.review.bar.progress.text() == "2 / 4 reviewed"
    assert widget.desk.current.shown.index == 3
    assert widget.desk.current.session.accepted == (2,)


def test_a_key_hides_the_mask_whatever_is_selected(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask, box = mask_of(widget), widget.review.show_mask
    widget.viewer.layers.selection.active = widget.viewer.layers["head"]
    press(widget, Qt.Key.Key_H)
    assert (mask.visible, box.isChecked()) == (False, False)
    mask.visible = True
    assert box.isChecked()
    box.click()
    assert not mask.visible
    assert widget.viewer.layers["head"].visible


def listed(widget: ReviewWidget) -> list[tuple[str, str]]:
    """Slice and predicted Dice of every row."""
    slices = widget.review.table.slices
    rows = range(slices.rowCount())
    texts = [[slices.data(slices.index(row, column)) for column in (1, 2)] for row in rows]
    return [(name.rpartition("#")[2], dice) for name, dice in texts]


def choose(combo: Any, text: str) -> None:
    """Choose an entry by typing its first letters."""
    combo.setFocus()
    QTest.keyClicks(combo, text)


def predict(widget: ReviewWidget, *figures: float) -> None:
    mask = widget.viewer.layers["head mask"]
    known = {(place,): figure for place, figure in enumerate(figures)}
    update_record(mask, predicted_dice=SliceValues(known))


def test_worst_slices_come_first(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    predict(widget, 0.91, float("nan"), 0.834, 0.5)
    start(qtbot, widget, tmp_path / "s")
    assert widget.desk.current is not None
    assert listed(widget) == [
        ("slice 0", "0.91"),
        ("slice 1", "–"),
        ("slice 2", "0.83"),
        ("slice 3", "0.50"),
    ]
    choose(widget.review.bar.order_combo, "w")
    assert listed(widget) == [
        ("slice 3", "0.50"),
        ("slice 2", "0.83"),
        ("slice 0", "0.91"),
        ("slice 1", "–"),
    ]
    went = [widget.desk.current.shown.index]
    for key in (Qt.Key.Key_A, Qt.Key.Key_N, Qt.Key.Key_N, Qt.Key.Key_A, Qt.Key.Key_A):
        press(widget, key)
        went.append(widget.desk.current.shown.index)
    assert went == [3, 2, 0, 1, 2, 0]
    selected = widget.review.table.selectionModel().selectedRows()
    assert [index.row() for index in selected] == [2]
    widget.desk.close()
    assert Session.open(tmp_path / "s").predicted_dice == (0.91, None, 0.834, 0.5)
    widget.viewer.dims.set_point(0, 10.0 + 3 * 2)
    widget.desk.open(tmp_path / "s")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert widget.desk.current.shown.index == 0
    another = QueueBar()
    qtbot.addWidget(another)
    assert another.order is Order.WORST_FIRST


def test_without_figures_worst_first_is_in_order(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    assert widget.desk.current is not None
    widget.viewer.dims.set_point(0, 10.0 + 3 * 2)
    choose(widget.review.bar.order_combo, "w")
    assert widget.review.bar.order is Order.WORST_FIRST
    assert widget.desk.current.shown.index == 2
    assert [name for name, _ in listed(widget)] == ["slice 0", "slice 1", "slice 2", "slice 3"]
    assert "No slice of this session" in widget.review.bar.order_combo.toolTip()


def test_a_slice_predicted_again_finds_its_new_place(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    predict(widget, 0.6, 0.7, 0.8, 0.9)
    start(qtbot, widget, tmp_path / "s")
    choose(widget.review.bar.order_combo, "w")
    mask, image = mask_of(widget), widget.image_combo.layer()
    update_record(mask, predicted=SliceValues(checksums(mask.data[0], (0,))))
    later = np.zeros(SHAPE[1:], np.uint8)
    later[2:8, 2:8] = 1
    update_record(mask, predicted_dice=record_of(mask).predicted_dice | {(0,): 0.85})
    sums = checksums(later, (0,))
    show_prediction(widget.viewer, image, mask, later, CATEGORIES, (0,), sums, ModelFile("m"))
    qtbot.waitUntil(lambda: listed(widget)[2] == ("slice 0", "0.85"))
    names = [name for name, _ in listed(widget)]
    assert names == ["slice 1", "slice 2", "slice 0", "slice 3"]


def segmented(widget: ReviewWidget, labels: np.ndarray, place: tuple[int, ...] = ()) -> Any:
    """Return the mask that a prediction goes to, where that of the scan is there."""
    mask, image = widget.viewer.layers["head mask"], widget.image_combo.layer()
    sums = checksums(labels, place)
    return show_prediction(
        widget.viewer, image, mask, labels, CATEGORIES, place, sums, ModelFile("m")
    )


@pytest.mark.parametrize("key", [Qt.Key.Key_A, Qt.Key.Key_S, Qt.Key.Key_Q])
def test_slices_that_were_decided_on_are_not_segmented_again(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, key: Any
) -> None:
    before = widget.viewer.layers["head mask"].data.copy()
    update_record(widget.viewer.layers["head mask"], predicted=SliceValues(checksums(before)))
    start(qtbot, widget, tmp_path / "s")
    mask, later = mask_of(widget), np.ones(SHAPE, np.uint8)
    press(widget, key)
    assert segmented(widget, later) is not mask
    assert segmented(widget, later[0], (0,)) is not mask
    np.testing.assert_array_equal(mask.data, before)
    assert segmented(widget, later[2], (2,)) is mask
    widget.desk.close()
    assert segmented(widget, later) is mask


def test_nothing_is_saved_where_there_is_no_mask(dock: Callable[[type], Any]) -> None:
    widget = dock(ReviewWidget)
    button = dock_of(widget).save_page.save_button
    assert not button.isEnabled()
    mask = widget.viewer.add_labels(np.zeros((8, 9), np.uint8))
    assert button.isEnabled()
    widget.viewer.layers.remove(mask)
    assert not button.isEnabled()


def test_a_mask_keeps_its_new_name(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask_of(widget).name = "mine"
    widget.desk.close()
    widget.viewer.layers.clear()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(tmp_path / "s")
    assert mask_of(widget).name == "mine"


def test_a_slice_with_a_label_that_is_no_category_is_not_accepted(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    session, mask, status = widget.session, mask_of(widget), widget.review.status
    corner = (np.array([0]), np.array([0]), np.array([0]))
    mask.data_setitem(corner, 3)
    widget.review.buttons["accept"].click()
    assert session.states[0] is ReviewState.TODO
    assert "the label 3, which is no category" in status.text()
    mask.undo()
    qtbot.waitUntil(lambda: not status.text())
    mask.redo()
    widget.review.buttons["accept"].click()
    add_category(mask, "cyst", widget.viewer.layers, 3)
    qtbot.waitUntil(lambda: not status.text())
    mask.data_setitem(corner, 4)
    widget.review.buttons["accept"].click()
    assert "the label 4, which is no category" in status.text()
    mask.data_setitem(corner, IGNORE_INDEX)  # unreviewed pixels are none either, and may stay
    widget.review.buttons["accept"].click()
    assert session.states[0] is ReviewState.CORRECTED
    widget.desk.current.shown.go_to(0)
    mask.data_setitem(corner, 4)
    widget.desk.current.changes.update()
    assert session.states[0] is ReviewState.TODO
    assert "the label 4" in status.text()
    widget.desk.current.shown.go_to(1)
    assert not status.text(), "that was told of another slice"


def test_a_label_that_is_no_category_is_seen_in_a_slice_that_was_left_at_once(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    session, mask = widget.session, mask_of(widget)
    widget.review.buttons["accept"].click()
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 3)
    assert widget.desk.current.shown.index == 1
    widget.desk.current.changes.update()
    assert session.states[0] is ReviewState.TODO


def test_masks_from_a_file_are_not_predicted_again(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    reviewing, mask = widget.desk.current, mask_of(widget)
    before = mask.data.copy()
    assert reviewing.session.checkpoint is None
    assert not reviewing.replace_prediction(3, np.ones(SHAPE[1:], np.uint8), 0.9)
    np.testing.assert_array_equal(mask.data, before)
    show_prediction(
        *(widget.viewer, widget.image_combo.layer(), mask, before[2], CATEGORIES, (2,)),
        checksums(before[2], (2,)),
        ModelFile("m"),
    )
    update_record(mask, predicted=SliceValues(checksums(before[2], (2,))))
    set_locked(mask, 2, True)
    assert reviewing.replace_prediction(2, np.ones(SHAPE[1:], np.uint8), 0.9)
    assert (mask.data[2] == np.where(before[2] == 2, 2, 1)).all()


def test_maps_of_slices_that_are_predicted_again_are_dropped(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    viewer, values = widget.viewer, np.full(SHAPE, 0.7)
    mask = viewer.layers["head mask"]
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    maps = [
        add_map(viewer, values, mask, "probability of tumour"),
        add_map(viewer, values, mask, "uncertainty in bits"),
        add_map(viewer, values, other, "uncertainty in bits"),
    ]
    viewer.layers.selection.active = mask
    mask.name = "mine"  # its maps stay its own
    start(qtbot, widget, tmp_path / "s")
    reviewing, tools = widget.desk.current, widget.tools
    update_record(mask, predicted=SliceValues(checksums(mask.data)))
    reviewing.decisions.decide(ReviewState.SKIPPED)
    taken = [reviewing.replace_prediction(i, np.ones(SHAPE[1:], np.uint8), 0.9) for i in range(4)]
    assert taken == [False, False, True, True]
    reviewing.show_predictions()
    dropped = [np.flatnonzero(~layer.data.any((1, 2))).tolist() for layer in maps]
    assert dropped == [[2, 3], [2, 3], []]
    widget.tabs.setCurrentWidget(tools)
    assert tools.slider.isEnabled()
    reviewing.shown.go_to(3)
    assert not tools.slider.isEnabled()


def test_a_refusal_shows_on_the_tab_where_the_key_was_pressed(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    widget.viewer.dims.ndisplay = 3
    for at in range(widget.tabs.count()):
        widget.tabs.setCurrentIndex(at)
        widget.review.report("")
        QTest.keyClick(canvas_of(widget.viewer), Qt.Key.Key_A)
        assert widget.review.status.isVisibleTo(widget)
        assert widget.review.status.text().startswith("No slice is on screen")
    assert not widget.session.accepted


def test_nothing_is_decided_where_no_slice_is_on_screen(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask = mask_of(widget)
    mask.data_setitem((np.array([0]), np.array([1]), np.array([1])), 2)
    widget.viewer.dims.ndisplay = 3
    for button in (*widget.review.buttons.values(), widget.review.revert_button):
        if "list" not in button.toolTip():
            button.click()
            assert widget.review.status.text().startswith("No slice is on screen")
    assert not widget.session.accepted
    assert mask.data[0, 1, 1] == 2
    widget.viewer.dims.ndisplay = 2
    widget.review.buttons["accept"].click()
    assert widget.session.accepted == (0,)


def test_on_another_plane_the_buttons_say_which_slice_they_decide_on(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    review, reviewing = widget.review, widget.desk.current
    reviewing.shown.go_to(2)
    widget.viewer.dims.order = (1, 0, 2)
    assert review.buttons["accept"].text() == "Accept 2  [A]"
    assert review.revert_button.text() == "Revert slice 2"
    assert "now about slice 2" in review.stored_slice.text()
    assert review.stored_slice.isVisibleTo(review)
    review.buttons["accept"].click()
    assert widget.session.accepted == (2,)
    assert review.buttons["accept"].text() == f"Accept {reviewing.shown.index}  [A]"
    widget.viewer.dims.order = (0, 1, 2)
    assert review.buttons["accept"].text() == "Accept  [A]"
    assert not review.stored_slice.isVisibleTo(review)


def test_nothing_is_decided_beyond_the_mask(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    longer = {"scale": (3, 0.5, 0.5), "translate": (10, -5, 2), "units": ("mm",) * 3}
    widget.viewer.add_image(np.ones((10, 40, 50), np.uint8), **longer)
    widget.viewer.dims.set_point(0, 10.0 + 3 * 8)
    for button in (*widget.review.buttons.values(), widget.review.revert_button):
        if "list" not in button.toolTip():
            button.click()
            assert widget.review.status.text() == (
                "No slice of head mask is on screen; go to one of its slices."
            )
    assert widget.session.states == (ReviewState.TODO,) * 4
    widget.viewer.dims.set_point(0, 10.0 + 3 * 3)
    with when_saved(qtbot, widget):
        widget.review.buttons["accept"].click()
    assert widget.session.accepted == (3,)


def test_the_list_is_filtered_by_state(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    start(qtbot, widget, tmp_path / "s")
    assert widget.desk.current is not None
    combo, table = widget.review.bar.filter_combo, widget.review.table
    for key in (Qt.Key.Key_Q, Qt.Key.Key_A, Qt.Key.Key_Q):
        press(widget, key)
    texts = [combo.itemText(row) for row in range(combo.count())]
    assert texts == [
        "All (4)",
        "To do (1)",
        "Accepted (1)",
        "Corrected (0)",
        "Skipped (0)",
        "Flagged (2)",
    ]
    choose(combo, "f")
    assert [name for name, _ in listed(widget)] == ["slice 0", "slice 2"]
    assert not table.selectionModel().hasSelection()
    press(widget, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert widget.desk.current.shown.index == 2
    press(widget, Qt.Key.Key_A)
    assert widget.desk.current.shown.index == 0
    assert combo.currentText() == "Flagged (1)"
    row = table.visualRect(table.slices.index(0, 0)).center()
    choose(combo, "a")
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=row)
    assert widget.desk.current.shown.index == 0
    widget.desk.close()
    assert combo.currentText() == "All (0)"


@pytest.mark.serial
def test_thousands_of_slices_are_listed_in_linear_time(qtbot: QtBot) -> None:
    tab = SlicesTab()
    qtbot.addWidget(tab)
    tab.show()

    def prepare(count: int) -> Callable[[], None]:
        states = [ReviewState.TODO, ReviewState.FLAGGED] * (count // 2)
        figures = [index * 7919 % count / count for index in range(count)]

        def work() -> None:
            tab.table.show_slices([f"slice {index}" for index in range(count)])
            for order in Order:
                for shown in (None, ReviewState.TODO, ReviewState.FLAGGED):
                    queue = Queue(sorted_slices(figures, order), states, shown)
                    tab.bar.show_queue(queue)
                    tab.table.show_queue(queue, figures, count // 3)

        return work

    assert growth(prepare, 500) < LINEAR


def test_keys_are_given_back_when_the_session_closes(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    viewer = widget.viewer
    pressed: list[str] = []
    viewer.bind_key("S", lambda _: pressed.append("mine"))
    before = dict(viewer.keymap)
    start(qtbot, widget, tmp_path / "s")
    assert len(viewer.keymap) == len(before) + 6
    widget.bar.close_button.click()
    assert dict(viewer.keymap) == before
    press(widget, Qt.Key.Key_S)
    assert pressed == ["mine"]


def test_the_line_follows_paint_undo_and_revert(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    line, mask = widget.review.changes, mask_of(widget)
    assert line.text() == "As predicted"
    with mask.block_history():
        mask.data_setitem((np.zeros(6, int), np.full(6, 30), np.arange(6)), 1)
        mask.data_setitem((np.zeros(4, int), np.full(4, 10), np.arange(10, 14)), 0)
    qtbot.waitUntil(lambda: line.text().startswith("+6 −4 px"))
    assert line.text().endswith(f"{2 * 96 / (100 + 102):.3f}")
    painted = mask.data.copy()
    widget.review.revert_button.click()
    qtbot.waitUntil(lambda: line.text() == "As predicted")
    mask.undo()
    np.testing.assert_array_equal(mask.data, painted)
    qtbot.waitUntil(lambda: line.text().startswith("+6 −4 px"))
    mask.undo()
    qtbot.waitUntil(lambda: line.text() == "As predicted")


def test_the_overlay_shows_what_was_added_and_removed(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask, viewer = mask_of(widget), widget.viewer
    mask.data_setitem((np.array([0, 0]), np.array([30, 10]), np.array([5, 10])), [1, 0])
    widget.review.show_changes.click()
    overlay = viewer.layers["changes"]
    expected = np.zeros(SHAPE[1:], np.uint8)
    expected[30, 5], expected[10, 10] = 1, 2
    np.testing.assert_array_equal(overlay.data[0], expected)
    np.testing.assert_array_equal(overlay.scale, mask.scale)
    np.testing.assert_array_equal(overlay.translate, mask.translate)
    assert viewer.layers.selection.active is mask
    assert widget.mask_combo.count() == 1
    widget.review.show_changes.click()
    assert "changes" not in viewer.layers
    widget.review.show_changes.click()
    viewer.layers.remove("changes")
    mask.data_setitem((np.array([0]), np.array([31]), np.array([5])), 1)
    qtbot.waitUntil(lambda: widget.review.changes.text().startswith("+2"))


def test_the_overlay_shows_the_changes_of_another_plane_too(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask, viewer = mask_of(widget), widget.viewer
    widget.review.show_changes.click()
    drawn = viewer.layers["changes"].data
    viewer.dims.order = (1, 0, 2)
    read_in: list[threading.Thread] = []
    read = Predictions.__array__

    def note(*args: Any, **options: Any) -> Any:
        read_in.append(threading.current_thread())
        return read(*args, **options)

    monkeypatch.setattr(Predictions, "__array__", note)
    viewer.dims.set_point(1, mask.data_to_world((0, 30, 0))[1])
    mask.data_setitem((np.array([0, 2]), np.array([30, 30]), np.array([5, 6])), 1)
    qtbot.waitUntil(lambda: (drawn[0, 30, 5], drawn[2, 30, 6]) == (1, 1))
    assert read_in
    assert threading.main_thread() not in read_in, "the window goes on meanwhile"
    assert widget.review.changes.text().startswith("Slice 0: +1 −0 px")
    later = mask.data[2].copy()
    widget.desk.current.replace_prediction(3, later, 0.9)
    mask.data_setitem((np.array([3]), np.array([30]), np.array([7])), 1)
    qtbot.waitUntil(lambda: drawn[3, 30, 7] == 1)
    assert drawn[3, 30, 6] == 0, "it was predicted later"


def test_a_slice_segmented_later_is_compared_with_that(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask, image = mask_of(widget), widget.image_combo.layer()
    update_record(mask, predicted=SliceValues(checksums(mask.data[0], (0,))))
    later = np.zeros(SHAPE[1:], np.uint8)
    later[2:8, 2:8] = 1
    with when_saved(qtbot, widget):
        filled = show_prediction(
            widget.viewer, image, mask, later, CATEGORIES, (0,), checksums(later, (0,)), {}
        )
    assert filled is mask
    assert widget.review.changes.text() == "As predicted"
    mask.data_setitem((np.array([0]), np.array([9]), np.array([9])), 1)
    qtbot.waitUntil(lambda: widget.review.changes.text().startswith("+1 −0 px"))
    widget.desk.close()
    stored = Session.open(tmp_path / "s")
    np.testing.assert_array_equal(stored.masks.read_prediction(0), later)
    assert stored.prediction[0].sum() == 100


def test_painting_is_saved_every_minute(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "INTERVAL_MS", 50)
    start(qtbot, widget, tmp_path / "s")
    mask = mask_of(widget)
    with when_saved(qtbot, widget):
        mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    assert [p.name for p in (tmp_path / "s" / "masks").iterdir()] == ["00001.tif"]
    assert widget.review.status.text().startswith("saved ")


def test_undo_of_a_hidden_mask_is_saved_every_minute(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "INTERVAL_MS", 50)
    start(qtbot, widget, tmp_path / "s")
    mask = mask_of(widget)
    with when_saved(qtbot, widget):
        paint(widget, 1)
    press(widget, Qt.Key.Key_H)
    for step, expected in ((mask.undo, 0), (mask.redo, 1)):
        with when_saved(qtbot, widget):
            step()
        assert widget.session.masks.read(1)[1, 1] == expected


def test_pixels_that_nobody_told_of_are_saved_every_minute(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "INTERVAL_MS", 50)
    start(qtbot, widget, tmp_path / "s")
    for _ in range(3):
        with qtbot.waitSignal(widget.desk.current.autosave.minute):
            pass
    with when_saved(qtbot, widget):
        mask_of(widget).data[1, 1, 1] = 2
    assert widget.session.masks.read(1)[1, 1] == 2


def test_looking_at_slices_writes_nothing(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "INTERVAL_MS", 50)
    start(qtbot, widget, tmp_path / "s")
    with when_saved(qtbot, widget):
        widget.desk.current.autosave.finish()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*")}
    saved: list[object] = []
    widget.desk.current.autosave.saved.connect(saved.append)
    for index in range(4):
        with qtbot.waitSignal(widget.desk.current.autosave.minute):
            widget.desk.current.shown.go_to(index)
    assert widget.desk.current.autosave.finish()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*")} == files
    qtbot.waitUntil(lambda: bool(saved), timeout=20_000)
    assert len(saved) == 1, "that of the save that was asked for"


def test_a_disk_that_fails_is_told_and_the_form_stays_usable(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, notifications: list[str]
) -> None:
    start(qtbot, widget, tmp_path / "s")
    assert widget.desk.current is not None
    (tmp_path / "s" / "masks").rmdir()
    mask_of(widget).data_setitem((np.array([0]), np.array([1]), np.array([1])), 2)
    with qtbot.waitSignal(widget.desk.current.autosave.failed):
        widget.review.buttons["accept"].click()
    assert "masks/00000.tif cannot be written: its folder does not exist" in notifications[-1]
    (tmp_path / "s" / "masks").mkdir()
    with when_saved(qtbot, widget):
        widget.desk.current.autosave.save()
    assert (tmp_path / "s" / "masks" / "00000.tif").is_file()


def test_what_could_not_be_saved_is_tried_every_minute_and_told_once(
    qtbot: QtBot,
    widget: ReviewWidget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notifications: list[str],
) -> None:
    monkeypatch.setattr(autosave, "INTERVAL_MS", 50)
    start(qtbot, widget, tmp_path / "s")
    saving, later = widget.desk.current.autosave, np.ones(SHAPE[1:], np.uint8)
    for name in ("masks", "predictions"):
        (tmp_path / "s" / name).rename(tmp_path / name)
    paint(widget, 1)
    saving.replace_prediction(2, later)
    qtbot.waitUntil(lambda: len(notifications) == 2)
    for _ in range(4):
        with qtbot.waitSignal(saving.minute):
            pass
    prediction, mask = notifications
    assert "predictions/00002.tif cannot be written: its folder does not exist" in prediction
    assert "masks/00001.tif cannot be written: its folder does not exist" in mask
    for name in ("masks", "predictions"):
        (tmp_path / name).rename(tmp_path / "s" / name)
    with when_saved(qtbot, widget):
        pass
    assert (tmp_path / "s" / "masks" / "00001.tif").is_file()
    np.testing.assert_array_equal(widget.session.masks.read_prediction(2), later)


def test_closing_saves_and_opening_brings_all_back(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    viewer, mask = widget.viewer, mask_of(widget)
    before = {name: np.asarray(getattr(mask, name)) for name in ("scale", "translate")}
    mask.data_setitem((np.array([3]), np.array([1]), np.array([1])), 2)
    painted = mask.data.copy()
    widget.review.buttons["accept"].click()
    widget.bar.close_button.click()
    assert widget.session is None
    viewer.layers.clear()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(tmp_path / "s")
    opened = mask_of(widget)
    np.testing.assert_array_equal(opened.data, painted)
    np.testing.assert_array_equal(viewer.layers["head"].data.shape, SHAPE)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(opened, name), value)
    assert [str(unit) for unit in opened.units] == ["millimeter"] * 3
    assert record_of(opened).categories == CATEGORIES
    assert widget.review.bar.progress.text() == "1 / 4 reviewed"
    qtbot.waitUntil(lambda: not widget.desk.busy)


def test_removing_the_mask_closes_the_session(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask_of(widget).data_setitem((np.array([0]), np.array([1]), np.array([1])), 2)
    widget.viewer.layers.remove("head mask")
    assert widget.session is None
    assert Session.open(tmp_path / "s").load_mask()[0, 1, 1] == 2


def test_closing_the_dock_saves(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    start(qtbot, widget, tmp_path / "s")
    mask_of(widget).data_setitem((np.array([0]), np.array([1]), np.array([1])), 2)
    widget.viewer.window.remove_dock_widget(dock_of(widget))
    assert widget.session is None
    assert Session.open(tmp_path / "s").load_mask()[0, 1, 1] == 2
    dock_of(widget).deleteLater()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: {"data": np.zeros((3, 40, 50), np.uint8)}, "3×40×50 and head is on 4×40×50"),
        (
            lambda: {
                "data": np.zeros(SHAPE, np.uint8),
                "metadata": LayerRecord(values="instances", categories=CATEGORIES).as_metadata(),
                "features": {"index": [0], "category": ["background"]},
            },
            "has a label for each object",
        ),
    ],
    ids=["grid", "instances"],
)
def test_masks_that_do_not_fit_are_told(
    widget: ReviewWidget,
    tmp_path: Path,
    notifications: list[str],
    make: Callable[[], dict[str, Any]],
    reason: str,
) -> None:
    bad = widget.viewer.add_labels(name="bad", **make())
    widget.mask_combo.setLayer(bad)
    widget.bar.folder.setValue(tmp_path / "s")
    widget.bar.start_button.click()
    assert reason in notifications[-1]
    assert widget.bar.start_button.isEnabled()
    assert not (tmp_path / "s").exists()


def test_a_scan_that_changed_is_refused_in_the_window(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, notifications: list[str]
) -> None:
    start(qtbot, widget, tmp_path / "s")
    widget.desk.close()
    write_array(tmp_path / "s" / "scan.tif", np.zeros((2, 5, 5), np.uint8), axes="ZYX")
    widget.desk.open(tmp_path / "s")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert "from ZYX 4×40×50 (uint8) to ZYX 2×5×5 (uint8)" in notifications[-1]
    assert dock_of(widget).open_page.session_button.isEnabled()


@pytest.mark.usefixtures("dask_without_threads")
def test_lazy_masks_become_editable(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    lazy = widget.viewer.add_labels(
        da.zeros(SHAPE, dtype=np.uint8, chunks=(1, 40, 50)), name="lazy"
    )
    widget.mask_combo.setLayer(lazy)
    start(qtbot, widget, tmp_path / "s")
    mask = mask_of(widget)
    assert mask is lazy
    mask.data_setitem((np.array([0]), np.array([1]), np.array([1])), 1)
    assert mask.data[0, 1, 1] == 1


def test_a_2d_image_is_one_slice(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    viewer = widget.viewer
    viewer.layers.clear()
    viewer.add_image(np.ones((30, 40, 3), np.uint8), rgb=True, name="photo")
    viewer.add_labels(np.zeros((30, 40), np.uint8), name="photo mask")
    start(qtbot, widget, tmp_path / "s")
    mask_of(widget).data_setitem((np.array([3]), np.array([4])), 1)
    with when_saved(qtbot, widget):
        widget.review.buttons["accept"].click()
    widget.review.buttons["next"].click()
    assert widget.review.bar.progress.text() == "1 / 1 reviewed"
    stored = Session.open(tmp_path / "s")
    assert stored.load_mask()[3, 4] == 1
    assert stored.scan.data.shape == (30, 40, 3)


def test_masks_are_saved_as_tiff_and_coco(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    start(qtbot, widget, tmp_path / "s")
    with qtbot.waitSignal(widget.written):
        widget.save_tiff(tmp_path / "mask.tif")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    saved = read_tiff(tmp_path / "mask.tif")
    np.testing.assert_array_equal(saved.data, mask_of(widget).data)
    assert (saved.axes, saved.spacing, saved.unit) == ("ZYX", (3, 0.5, 0.5), "mm")
    with qtbot.waitSignal(widget.written):
        widget.save_coco(tmp_path / "mask.json")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    coco = COCO(str(tmp_path / "mask.json"))
    assert {c["name"] for c in coco.cats.values()} == {"tumour", "oedema"}
    total = sum(int(coco.annToMask(a).sum()) for a in coco.anns.values())
    assert total == np.count_nonzero(mask_of(widget).data)


def test_a_folder_that_cannot_be_written_is_told(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, notifications: list[str]
) -> None:
    widget.save_tiff(tmp_path / "missing" / "mask.tif")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert "cannot be written: its folder does not exist" in notifications[-1]
    assert dock_of(widget).save_page.save_button.isEnabled()


def test_the_dock_fits_a_small_screen(widget: ReviewWidget) -> None:
    size = widget.minimumSizeHint()
    assert size.height() < 600
    assert size.width() < 400


def test_the_marked_row_stays_in_view_where_the_list_shrinks(qtbot: QtBot) -> None:
    table = QueueTable()
    qtbot.addWidget(table)
    table.resize(400, 600)
    table.show()
    states = (ReviewState.TODO,) * 40
    table.show_slices([str(i) for i in range(40)])
    table.show_queue(Queue(tuple(range(40)), states), (None,) * 40, 0)
    table.go_to(11)

    def whole() -> bool:
        row = table.visualRect(table.slices.index(11, 1))
        return bool(table.viewport().rect().contains(row))

    assert whole()
    table.resize(400, 300)
    assert whole()
