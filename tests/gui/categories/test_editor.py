"""The editor of categories in the window, by mouse and keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import (
    click_cell,
    click_lock,
    counts,
    locked_names,
    middle,
    swatch_colours,
)
from mouse import canvas_of, stroke
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QColorDialog, QLineEdit
from scene import PLACE, SHAPE, add_mask
from sessions import reopen_session, start_session

from napari_unet_seg._napari.categories.category_tree import SWATCH_COLUMN
from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.categories.editor import CategoryEditor

pytestmark = [pytest.mark.gui, pytest.mark.usefixtures("only_this_plugin")]


def painted() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 10:20, 10:20] = 1
    labels[2, 25:30, 10:14] = 2
    return labels


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a mask of tumour and oedema, the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(np.ones(SHAPE, np.uint8), name="head", **PLACE)
    add_mask(widget.viewer, painted(), **PLACE)
    widget.tabs.setCurrentWidget(widget.tools)
    return widget


@pytest.fixture
def editor(widget: ReviewWidget) -> CategoryEditor:
    return widget.tools.categories


@pytest.fixture
def mask(widget: ReviewWidget) -> Labels:
    return widget.viewer.layers["head mask"]


def type_over(field: QLineEdit, text: str) -> None:
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()  # in which a list takes over what was typed


def field_of(editor: CategoryEditor) -> QLineEdit:
    """The field in which a name is edited in place."""
    return editor.tree.findChildren(QLineEdit)[-1]


def names(mask: Labels) -> list[str]:
    return [category.name for category in categories_of(mask)]


def choose_in_menu(editor: CategoryEditor, text: str) -> None:
    """Click an entry of the menu that is open."""
    menu = editor.menu
    assert menu is not None
    (action,) = (a for a in menu.actions() if a.text() == text)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def test_the_list_shows_colours_of_the_canvas_and_volumes(
    qtbot: QtBot, editor: CategoryEditor, mask: Labels
) -> None:
    assert editor.tree.names() == ["tumour", "oedema"]
    qtbot.waitUntil(lambda: counts(editor) == ["0.15 ml · 200", "0.015 ml · 20"])
    canvas = [QColor.fromRgbF(*map(float, mask.get_color(v)[:3])).name() for v in (1, 2)]
    assert swatch_colours(editor) == canvas
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 2)
    qtbot.waitUntil(lambda: counts(editor) == ["0.15 ml · 200", "0.0158 ml · 21"])
    mask.undo()
    qtbot.waitUntil(lambda: counts(editor) == ["0.15 ml · 200", "0.015 ml · 20"])


def test_a_category_is_added_and_renamed_in_place(editor: CategoryEditor, mask: Labels) -> None:
    editor.add_button.click()
    assert editor.new_label.name.text() == "category 3"
    type_over(editor.new_label.name, "cyst")
    assert (names(mask), mask.selected_label) == (["tumour", "oedema", "cyst"], 3)
    assert editor.new_label.isHidden()
    editor.tree.setFocus()
    QTest.keyClick(editor.tree, Qt.Key.Key_F2)
    type_over(field_of(editor), "vessel")
    assert names(mask) == editor.tree.names() == ["tumour", "oedema", "vessel"]
    click_cell(editor, "oedema")
    QTest.mouseDClick(
        editor.tree.viewport(), Qt.MouseButton.LeftButton, pos=middle(editor, "oedema")
    )
    type_over(field_of(editor), "tumour")
    assert names(mask) == editor.tree.names() == ["tumour", "oedema", "vessel"]
    assert editor.status.text() == "There is a category tumour already; type another name."


def test_a_colour_that_is_chosen_is_that_of_canvas_lists_and_sessions(
    qtbot: QtBot, widget: ReviewWidget, editor: CategoryEditor, mask: Labels
) -> None:
    click_cell(editor, "oedema", SWATCH_COLUMN)
    (dialog,) = editor.findChildren(QColorDialog)
    dialog.setCurrentColor(QColor("#204060"))
    dialog.accept()
    assert swatch_colours(editor)[1] == category_colour("oedema") == "#204060"
    widget.window().show()
    qtbot.waitExposed(widget.window())
    mask.opacity = 1
    widget.viewer.dims.set_point(0, 10 + 2 * 3)
    QApplication.processEvents()
    picture = widget.viewer.screenshot(flash=False)[..., :3].reshape(-1, 3)
    assert (picture == (0x20, 0x40, 0x60)).all(axis=1).sum() > 100


def test_rows_move_with_keys_and_labels_stay(editor: CategoryEditor, mask: Labels) -> None:
    click_cell(editor, "oedema")
    assert mask.selected_label == 2
    QTest.keyClick(editor.tree, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert editor.tree.names() == ["oedema", "tumour"]
    assert (editor.value(), names(mask)) == (2, ["tumour", "oedema"])
    QTest.keyClick(editor.tree, Qt.Key.Key_Down)
    assert mask.selected_label == 1
    np.testing.assert_array_equal(mask.data, painted())


def test_what_becomes_of_the_pixels_is_asked_and_ctrl_z_brings_all_back(
    qtbot: QtBot, widget: ReviewWidget, editor: CategoryEditor, mask: Labels
) -> None:
    click_cell(editor, "tumour")
    QTest.keyClick(editor.tree, Qt.Key.Key_Delete)
    assert editor.menu is not None
    assert [a.text() for a in editor.menu.actions() if a.text()] == [
        "Remove tumour: its 200 become", "background", "oedema", "Cancel",
    ]  # fmt: skip
    choose_in_menu(editor, "oedema")
    assert names(mask) == editor.tree.names() == ["oedema"]
    np.testing.assert_array_equal(mask.data, painted() > 0)
    assert not editor.remove_button.isEnabled()  # the last one stays
    QTest.keyClick(canvas_of(widget.viewer), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert names(mask) == editor.tree.names() == ["tumour", "oedema"]
    np.testing.assert_array_equal(mask.data, painted())


def test_a_locked_category_is_not_removed(editor: CategoryEditor, mask: Labels) -> None:
    click_lock(editor, "oedema")
    assert (locked_names(editor), locked_of(mask)) == (["oedema"], {2})
    click_cell(editor, "oedema")
    editor.remove_button.click()
    assert editor.status.text() == "oedema is locked; unlock it to remove it."
    assert names(mask) == ["tumour", "oedema"]


def test_naparis_new_label_is_offered_a_name_and_painting_goes_on(
    qtbot: QtBot, widget: ReviewWidget, editor: CategoryEditor, mask: Labels
) -> None:
    widget.window().show()
    qtbot.waitExposed(widget.window())
    canvas_of(widget.viewer).setFocus()
    QTest.keyClick(canvas_of(widget.viewer), Qt.Key.Key_M)
    assert mask.selected_label == 3
    offer = editor.new_label
    assert (offer.text.text(), offer.name.text()) == ("Label 3 is new:", "category 3")
    assert not offer.name.hasFocus()
    mask.mode = "paint"
    ends = (mask.data_to_world((0, row, 30))[1:] for row in (5, 15))
    stroke(qtbot, widget.viewer, *ends)
    assert (mask.data == 3).any()
    type_over(offer.name, "cyst")
    assert (names(mask), mask.selected_label) == (["tumour", "oedema", "cyst"], 3)
    assert offer.isHidden()


def test_a_hand_drawn_layer_is_offered_its_first_category(
    dock: Callable[[type], Any], qtbot: QtBot
) -> None:
    widget: SegmentWidget = dock(SegmentWidget)
    legend = widget.form.legend
    widget.viewer.add_image(np.ones(SHAPE, np.uint8), name="head", **PLACE)
    assert legend.isHidden()
    widget.viewer._new_labels()  # the button of napari's list of layers
    mask = widget.viewer.layers.selection.active
    assert not legend.isHidden()
    assert legend.new_label.name.text() == "category 1"
    type_over(legend.new_label.name, "lesion")
    assert names(mask) == legend.tree.names() == ["lesion"]
    mask.selected_label += 1  # the + of napari's spin box
    legend.new_label.button.click()
    assert names(mask) == ["lesion", "category 2"]


def reopen(qtbot: QtBot, widget: ReviewWidget) -> Labels:
    reopen_session(qtbot, widget)
    return widget.viewer.layers["head mask"]


def test_a_refused_slice_has_the_button_that_adds_the_category(
    qtbot: QtBot, widget: ReviewWidget, mask: Labels, tmp_path: Path
) -> None:
    start_session(qtbot, widget, tmp_path / "s")
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 7)
    widget.desk.current.shown.go_to(0)
    widget.review.buttons["accept"].click()
    assert widget.session.states[0] is ReviewState.TODO
    assert "add one for it" in widget.review.status.text()
    widget.review.new_label.button.click()
    assert widget.session.categories[2].name == "category 3"
    assert mask.data[0, 0, 0] == 3
    widget.review.buttons["accept"].click()
    assert widget.session.states[0] is ReviewState.CORRECTED


def test_a_refused_file_has_the_button_that_adds_the_category(
    qtbot: QtBot, widget: ReviewWidget, mask: Labels, tmp_path: Path, notifications: list[str]
) -> None:
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 3)
    widget.save_coco(tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
    assert "holds the label 3, which is no category; add one" in notifications[-1]
    ((text, add),) = notification_manager.records[-1].actions
    assert text == "Add category 3"
    add(None)
    with qtbot.waitSignal(widget.written):
        widget.save_coco(tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    assert [c["name"] for c in document["categories"]] == ["tumour", "oedema", "category 3"]


def test_a_session_keeps_categories_colours_order_and_labels(
    qtbot: QtBot, widget: ReviewWidget, editor: CategoryEditor, mask: Labels, tmp_path: Path
) -> None:
    start_session(qtbot, widget, tmp_path / "s")
    editor.add_button.click()
    type_over(editor.new_label.name, "cyst")
    mask.data_setitem((np.array([3]), np.array([0]), np.array([0])), 3)
    editor.remove(1, 2)
    click_cell(editor, "cyst")
    QTest.keyClick(editor.tree, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    expected, palette = mask.data.copy(), widget.session.layers.palette
    assert expected[3, 0, 0] == 2
    np.testing.assert_array_equal(widget.session.prediction, painted() > 0)
    assert [name for name, _ in palette] == ["cyst", "oedema"]
    mask = reopen(qtbot, widget)
    assert editor.tree.names() == ["cyst", "oedema"]
    assert names(mask) == ["oedema", "cyst"]
    assert widget.session.layers.palette == palette
    np.testing.assert_array_equal(mask.data, expected)
    np.testing.assert_array_equal(widget.session.prediction, painted() > 0)
