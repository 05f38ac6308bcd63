"""Empty and unsegmented slices, many decisions at once, and cleared categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from menus import choose, entries, open_menu
from mouse import canvas_of
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES
from sessions import mask_of, start_session

from napari_unet_seg._napari.layers.layer_record import ModelFile
from napari_unet_seg._napari.layers.locks import set_locked
from napari_unet_seg._napari.layers.prediction import checksums, show_prediction
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

FOUND, GOOD, NOTHING, WAITING = (0, 1, 6), (1, 6), (2, 5), (3, 4)
"""Slices with a mask; those with a high predicted Dice; without a find; not segmented."""
COUNT = 7
DICE = {0: 0.5, 1: 0.95, 6: 0.9, 2: 0.7, 5: 0.6}
LEFT = Qt.MouseButton.LeftButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def predict(widget: ReviewWidget, index: int, mask: Any = None) -> Any:
    """Show what a model would have found on a slice."""
    labels = np.zeros((40, 50), np.uint8)
    if index in FOUND:
        labels[10:20, 10:20], labels[30:34, 30:34] = 1, 2
    image = widget.viewer.layers["head"]
    how = (image, mask, labels, CATEGORIES, (index,), checksums(labels, (index,)), ModelFile(""))
    return show_prediction(widget.viewer, *how, np.array(DICE.get(index, 0.8)))


@pytest.fixture
def widget(qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    """A session on a mask of which a model has predicted some slices."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    viewer.window.resize(1366, 768)
    viewer.show()
    voxels = np.random.default_rng(0).integers(1, 200, (COUNT, 40, 50), np.uint8)
    viewer.add_image(voxels, name="head")
    mask = None
    for index in (*FOUND, *NOTHING):
        mask = predict(widget, index, mask)
    start_session(qtbot, widget, tmp_path / "s")
    return widget


def reopen(qtbot: QtBot, widget: ReviewWidget) -> None:
    assert widget.session is not None
    folder = widget.session.folder
    widget.bar.close_button.click()
    for layer in list(widget.viewer.layers):
        widget.viewer.layers.remove(layer)
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.desk.busy)


def rows(widget: ReviewWidget, role: Any = Qt.ItemDataRole.DisplayRole) -> list[str]:
    """The column of states."""
    model = widget.review.table.slices
    return [model.data(model.index(i, 3), role) for i in range(model.rowCount())]


def states(widget: ReviewWidget) -> list[str]:
    assert widget.session is not None
    return [str(state) for state in widget.session.states]


def press(widget: ReviewWidget, key: Any, modifier: Any = NONE) -> None:
    QTest.keyClick(canvas_of(widget.viewer), key, modifier)


def click_row(widget: ReviewWidget, row: int, modifier: Any = NONE) -> None:
    table = widget.review.table
    where = table.visualRect(table.slices.index(row, 1)).center()
    QTest.mouseClick(table.viewport(), LEFT, modifier, QPoint(where))


def shown(widget: ReviewWidget) -> int:
    assert widget.desk.current is not None
    return widget.desk.current.shown.index


def answer(widget: ReviewWidget, text: str) -> None:
    question = widget.review.accepting.question
    assert question is not None
    button = next(b for b in question.buttons() if b.text() == text)
    QTest.mouseClick(button, LEFT)


def test_slices_that_wait_for_a_model_are_told_from_empty_ones(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    def expected(waiting: tuple[int, ...] = WAITING) -> list[str]:
        texts = dict.fromkeys(range(COUNT), "∅ empty")
        texts |= dict.fromkeys(FOUND, "○ to do") | dict.fromkeys(waiting, "◌ not segmented")
        return list(texts.values())

    assert rows(widget) == expected()
    tips = rows(widget, Qt.ItemDataRole.ToolTipRole)
    assert "nothing was found" in tips[NOTHING[0]]
    assert "no model has segmented" in tips[WAITING[0]]
    predict(widget, WAITING[0], mask_of(widget))
    assert rows(widget) == expected(WAITING[1:])
    reopen(qtbot, widget)
    assert rows(widget) == expected(WAITING[1:])


def test_a_layer_drawn_by_hand_waits_where_nothing_was_drawn(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(np.ones((3, 40, 50), np.uint8), name="head")
    labels = np.zeros((3, 40, 50), np.uint8)
    labels[1, 4:9, 4:9] = 1
    widget.viewer.add_labels(labels, name="drawn")
    start_session(qtbot, widget, tmp_path / "s")
    assert rows(widget) == ["◌ not segmented", "○ to do", "◌ not segmented"]


def test_accepting_what_was_not_segmented_asks_once(widget: ReviewWidget) -> None:
    assert widget.desk.current is not None
    widget.desk.current.shown.go_to(NOTHING[0])
    press(widget, Qt.Key.Key_A)
    assert states(widget)[NOTHING[0]] == "accepted"  # a model found nothing here
    assert shown(widget) == WAITING[0]
    press(widget, Qt.Key.Key_A)
    answer(widget, "Do not accept")
    assert states(widget)[WAITING[0]] == "to do"
    assert shown(widget) == WAITING[0]
    press(widget, Qt.Key.Key_A)
    answer(widget, "Accept as empty")
    assert shown(widget) == WAITING[1]
    press(widget, Qt.Key.Key_A)
    assert widget.review.accepting.question is None
    assert [states(widget)[i] for i in WAITING] == ["accepted", "accepted"]


def test_many_are_accepted_at_once_and_taken_back(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    button = widget.review.many_button
    assert entries(button) == {
        "Accept selected slices (1)": True,
        "Accept all empty slices (2)": True,
        "Take back what was accepted at once (0)": False,
    }
    before = states(widget)
    choose(button, "Accept all empty slices")
    accepted = ["accepted" if i in NOTHING else "to do" for i in range(COUNT)]
    assert states(widget) == accepted
    assert widget.review.status.text() == "2 slices accepted; Ctrl+Z takes that back."
    qtbot.waitUntil(lambda: list(Session.open(tmp_path / "s").states) == accepted)
    press(widget, Qt.Key.Key_Z, CTRL)
    assert states(widget) == before
    qtbot.waitUntil(lambda: list(Session.open(tmp_path / "s").states) == before)
    choose(button, "Accept all empty slices")
    choose(button, "Take back")
    assert states(widget) == before


def test_ctrl_z_is_the_masks_again_after_an_edit(widget: ReviewWidget) -> None:
    choose(widget.review.many_button, "Accept all empty slices")
    mask = mask_of(widget)
    mask.data_setitem((np.array([0]), np.array([1]), np.array([1])), 1)
    press(widget, Qt.Key.Key_Z, CTRL)
    assert not mask.data[0, 1, 1]
    assert states(widget)[NOTHING[0]] == "accepted"


def test_those_above_a_predicted_dice_are_accepted(widget: ReviewWidget) -> None:
    def use(menu: Any) -> None:
        menu.dice.limit.setValue(0.92)
        assert menu.dice.button.text() == "Accept (1)"
        menu.dice.limit.setValue(0.9)
        assert menu.dice.button.text() == "Accept (2)"
        QTest.mouseClick(menu.dice.button, LEFT)

    mask_of(widget).data_setitem((np.array([1]), np.array([1]), np.array([1])), 1)
    open_menu(widget.review.many_button, use)
    assert [i for i, state in enumerate(states(widget)) if state != "to do"] == list(GOOD)
    assert states(widget)[GOOD[0]] == "corrected"  # edited before


def test_a_selection_is_accepted_and_asks_about_what_was_not_segmented(
    widget: ReviewWidget,
) -> None:
    click_row(widget, 1)
    assert shown(widget) == 1
    click_row(widget, 3, SHIFT)
    assert shown(widget) == 1  # only selected
    assert widget.review.table.selected == [1, 2, 3]
    choose(widget.review.many_button, "Accept selected slices (3)")
    answer(widget, "Accept as empty")
    assert [i for i, state in enumerate(states(widget)) if state == "accepted"] == [1, 2, 3]
    assert widget.review.table.selected == [1, 2, 3]
    press(widget, Qt.Key.Key_N)
    assert widget.review.table.selected == [2]


def test_a_label_of_no_category_stays_to_do(widget: ReviewWidget) -> None:
    mask = mask_of(widget)
    mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 9)
    click_row(widget, 0)
    click_row(widget, 1, CTRL)
    choose(widget.review.many_button, "Accept selected slices (2)")
    assert states(widget)[:2] == ["accepted", "to do"]
    assert "1 with labels of no category stayed to do" in widget.review.status.text()


def test_a_category_is_cleared_from_this_slice_or_from_the_selected_ones(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    mask, button = mask_of(widget), widget.review.clear_button
    before = mask.data.copy()
    click_row(widget, 0)
    press(widget, Qt.Key.Key_A)  # accepted, and corrected once it is cleared
    click_row(widget, 0)
    choose(button, "tumour on this slice (100 px)")
    assert not (mask.data[0] == 1).any()
    np.testing.assert_array_equal(mask.data[0] == 2, before[0] == 2)
    np.testing.assert_array_equal(mask.data[1:], before[1:])
    qtbot.waitUntil(lambda: states(widget)[0] == "corrected")
    press(widget, Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(mask.data, before)

    set_locked(mask, 2, True)
    click_row(widget, 6, CTRL)
    texts = entries(button)
    assert texts["tumour on the 2 selected slices (200 px)"]
    assert not texts["oedema on the 2 selected slices (locked)"]
    set_locked(mask, 2, False)
    choose(button, "All categories on the 2 selected slices (232 px)")
    assert not mask.data[[0, 6]].any()
    np.testing.assert_array_equal(mask.data[1:6], before[1:6])
    press(widget, Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(mask.data, before)
    click_row(widget, 2)
    assert entries(button) == {"Nothing to clear here": False}


def test_a_category_is_cleared_from_another_plane(widget: ReviewWidget) -> None:
    mask = mask_of(widget)
    before = mask.data.copy()
    widget.viewer.dims.order = (1, 0, 2)
    widget.viewer.dims.set_point(1, 12)
    choose(widget.review.clear_button, "tumour on this plane (30 px)")
    assert not mask.data[:, 12].any()
    before[:, 12] = 0
    np.testing.assert_array_equal(mask.data, before)
