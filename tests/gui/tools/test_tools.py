from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock, locked_names
from mouse import canvas_of, stroke
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scene import CATEGORIES, PLACE, add_mask
from sessions import reopen_session, start_session

from napari_unet_seg._napari.layers.conversion import add_map
from napari_unet_seg._napari.layers.layer_record import LayerRecord, update_record
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.tools.tool_descriptions import TOOLS
from napari_unet_seg._napari.tools.tool_runner import ToolUse
from napari_unet_seg._napari.widgets.jobs import JobState, active_jobs
from napari_unet_seg.correct.change import change_to
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.io.common.places import Place

TUMOUR, OEDEMA = 1, 2
SHAPE = (7, 40, 50)
SHOWN = 3
REDO = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def rods() -> np.ndarray:
    """Make a tumour with a hole, a speck and a bump, and oedema beside it, but for one slice."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 10:20, 10:20] = TUMOUR
    labels[:, 14:16, 14:16] = 0
    labels[:, 9, 15] = TUMOUR
    labels[:, 30, 40] = TUMOUR
    labels[:, 10:20, 21:25] = OEDEMA
    labels[4] = 0
    return labels


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a mask of two categories, at its fourth slice, the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    viewer.add_image(np.ones(SHAPE, np.uint8), name="head", **PLACE)
    add_mask(viewer, rods(), **PLACE)
    viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    widget.tools.more.expand(animate=False)
    return widget


@pytest.fixture
def tools(widget: ReviewWidget) -> ToolsTab:
    return widget.tools


def mask_of(tools: ToolsTab) -> Any:
    return tools.viewer.layers["head mask"]


def click(button: Any) -> None:
    # At its left end, where a radio button and a checkbox have what is pressed.
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))


def press(tools: ToolsTab, key: Any, modifier: Any = Qt.KeyboardModifier.ControlModifier) -> None:
    """Press a key over napari's canvas."""
    QTest.keyClick(canvas_of(tools.viewer), key, modifier)


def finish(qtbot: QtBot, tools: ToolsTab) -> None:
    qtbot.waitUntil(lambda: not tools.busy)


def changed(before: np.ndarray, after: np.ndarray) -> list[int]:
    """Slices that differ."""
    return np.flatnonzero((before != after).any((1, 2))).tolist()


CLICKS = {
    "grow": ("Grew tumour: +", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "shrink": ("Shrank tumour: −", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "smooth": ("Smoothed tumour: ", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "fill_holes": ("Filled holes of tumour: +4 px in 1 slice.", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "close_gaps": ("Closed gaps of tumour: +", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "keep_largest": ("Kept the largest part of tumour: −1 px in 1", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "remove_small": ("Removed small parts of tumour: −1 px in 1", [SHOWN], [5, 6]),
    "copy_next": ("Copied tumour: +98 px in 1 slice.", [4], [4]),
}


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_a_click_changes_the_slice_or_all_and_one_undo_takes_it_back(
    qtbot: QtBot, tools: ToolsTab, whole: bool
) -> None:
    mask, before = mask_of(tools), rods()
    tools.viewer.layers.selection.active = tools.viewer.layers["head"]
    click(tools.volume_button if whole else tools.slice_button)
    assert tools.whole() is whole
    for name, (said, in_slice, in_volume) in CLICKS.items():
        click(tools.buttons[name])
        finish(qtbot, tools)
        after = mask.data.copy()
        assert changed(before, after) == (in_volume if whole else in_slice), name
        assert not ((before == OEDEMA) ^ (after == OEDEMA)).any(), name
        assert whole or tools.status.text().startswith(said)
        press(tools, Qt.Key.Key_Z)
        np.testing.assert_array_equal(mask.data, before, name)
        press(tools, Qt.Key.Key_Z, REDO)
        np.testing.assert_array_equal(mask.data, after, name)
        press(tools, Qt.Key.Key_Z)
        press(tools, Qt.Key.Key_Z)
        np.testing.assert_array_equal(mask.data, before, name)


def test_ctrl_z_on_a_button_that_was_clicked_undoes_too(tools: ToolsTab) -> None:
    tools.buttons["fill_holes"].click()
    assert changed(rods(), mask_of(tools).data) == [SHOWN]
    QTest.keyClick(tools.buttons["fill_holes"], Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(mask_of(tools).data, rods())


def test_a_tool_on_the_whole_keeps_what_can_be_undone(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), rods()
    mask.data_setitem((np.array([0]), np.array([1]), np.array([1])), TUMOUR)
    click(tools.volume_button)
    tools.buttons["grow"].click()
    mask.data[5, 0, 0] = OEDEMA  # somebody who has no step in the history
    finish(qtbot, tools)
    assert np.count_nonzero(mask.data == TUMOUR) > np.count_nonzero(before == TUMOUR) + 1
    assert mask.data[5, 0, 0] == OEDEMA
    press(tools, Qt.Key.Key_Z)
    press(tools, Qt.Key.Key_Z)
    before[5, 0, 0] = OEDEMA
    np.testing.assert_array_equal(mask.data, before)


def test_labels_that_change_meanwhile_stay(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    click(tools.volume_button)
    tools.buttons["grow"].click()
    mask.data[5] = OEDEMA
    finish(qtbot, tools)
    assert (mask.data[5] == OEDEMA).all()


def test_points_in_time_are_no_volume(qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    update_record(mask, scan=Scan(mask.data, "TYX", PLACE["scale"], "mm"))
    mask.data[5, 30, 40] = TUMOUR
    click(tools.volume_button)
    tools.buttons["keep_largest"].click()
    finish(qtbot, tools)
    # in each slice the rod stays, and the speck goes; across time both would be one part each
    assert not mask.data[:, 30, 40].any()
    assert (mask.data[:4, 11, 11] == TUMOUR).all()


def test_large_slices_are_reshaped_in_a_thread(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab
) -> None:
    drawn = np.zeros((600, 600), np.uint8)
    drawn[100:300, 100:300] = TUMOUR
    viewer = tools.viewer
    viewer.add_image(np.ones(drawn.shape, np.uint8), name="large")
    mask = add_mask(viewer, drawn.copy(), "large mask")
    widget.mask_combo.setLayer(mask)
    tools.buttons["grow"].click()
    assert tools.busy
    finish(qtbot, tools)
    assert np.count_nonzero(mask.data) > np.count_nonzero(drawn)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, drawn)


def test_nothing_to_change_is_said_and_no_step_of_undo(tools: ToolsTab) -> None:
    tools.buttons["fill_holes"].click()
    tools.buttons["fill_holes"].click()
    assert tools.status.text() == "Nothing to change in tumour."
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, rods())


def test_the_number_of_pixels_counts(tools: ToolsTab) -> None:
    tools.pixels.setValue(1)
    tools.buttons["grow"].click()
    plane = mask_of(tools).data[SHOWN]
    assert plane[15, 9] == TUMOUR
    assert plane[15, 8] == 0
    tools.pixels.setValue(2)
    tools.buttons["remove_small"].click()
    assert plane[30, 40] == TUMOUR, "the speck has grown to five pixels"


def test_balls_have_the_proportions_that_the_affine_gives(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab
) -> None:
    mask = mask_of(tools)
    mask.scale, mask.affine = (1, 1, 1), np.diag([3, 0.5, 0.5, 1])
    mask.data[:] = 0
    mask.data[3, 20, 20] = TUMOUR
    tools.volume_button.setChecked(True)
    tools.pixels.setValue(5)
    tools.buttons["grow"].click()
    finish(qtbot, tools)
    assert mask.data[3, 20, 25] == TUMOUR
    assert np.flatnonzero(mask.data.any((1, 2))).tolist() == [3], "slices are 6 pixels apart"


def test_touching_objects_are_split(tools: ToolsTab) -> None:
    mask = mask_of(tools)
    rows, columns = np.indices(SHAPE[1:])
    for column in (12, 27):
        mask.data[SHOWN][(rows - 20) ** 2 + (columns - column) ** 2 <= 64] = TUMOUR
    before = mask.data.copy()
    click(tools.buttons["split"])
    line = np.argwhere(before[SHOWN] != mask.data[SHOWN])
    assert (mask.data[SHOWN][tuple(line.T)] == 0).all()
    assert np.ptp(line[:, 1]) <= 1
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_slices_between_those_that_hold_the_category_are_drawn(
    qtbot: QtBot, tools: ToolsTab, whole: bool
) -> None:
    mask = mask_of(tools)
    mask.data[2:5] = 0
    before = mask.data.copy()
    tools.volume_button.setChecked(whole)
    click(tools.buttons["interpolate"])
    finish(qtbot, tools)
    assert changed(before, mask.data) == ([2, 3, 4] if whole else [SHOWN])
    np.testing.assert_array_equal(mask.data[SHOWN] == TUMOUR, before[0] == TUMOUR)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)


def begin(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> Session:
    start_session(qtbot, widget, folder)
    assert widget.desk.current is not None
    return widget.desk.current.session


def test_accepted_slices_are_those_between_which_is_drawn(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    mask = mask_of(tools)
    mask.data[3] = 0
    mask.data[3, 25:35, 5:45] = TUMOUR
    before = mask.data.copy()
    begin(qtbot, widget, tmp_path / "s")
    for index in (1, 5):
        assert widget.desk.current is not None
        widget.desk.current.shown.go_to(index)
        with qtbot.waitSignal(widget.desk.current.autosave.saved):
            widget.review.buttons["accept"].click()
    tools.volume_button.setChecked(True)
    click(tools.buttons["interpolate"])
    finish(qtbot, tools)
    assert changed(before, mask.data) == [3, 4]
    np.testing.assert_array_equal(mask.data[3] == TUMOUR, before[1] == TUMOUR)
    assert tools.status.text().startswith("Interpolated tumour: +")


def stored(session: Session, count: int) -> list[str]:
    """States of the first slices on disk."""
    return [str(state) for state in Session.open(session.folder).states[:count]]


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "hidden"])
def test_accepted_slices_that_a_tool_changes_are_corrected_ones(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path, shown: bool
) -> None:
    session, mask = begin(qtbot, widget, tmp_path / "s"), mask_of(tools)
    mask.data[1] = 0
    for index, decision in enumerate(("accept", "accept", "skip")):
        widget.desk.current.shown.go_to(index)
        widget.review.buttons[decision].click()
    before = mask.data.copy()
    qtbot.waitUntil(lambda: stored(session, 3) == ["accepted", "corrected", "skipped"])
    widget.desk.current.shown.go_to(SHOWN)
    mask.visible = shown
    click(tools.volume_button)
    click(tools.buttons["grow"])
    finish(qtbot, tools)
    qtbot.waitUntil(lambda: stored(session, 3) == ["corrected", "corrected", "skipped"])
    np.testing.assert_array_equal(session.load_mask()[:2], mask.data[:2])
    assert (mask.data[0] != before[0]).any()
    qtbot.waitUntil(lambda: widget.desk.current.decisions.queue.states == session.states)
    mask.undo()
    mask.visible = True
    qtbot.waitUntil(lambda: stored(session, 3) == ["accepted", "corrected", "skipped"])
    mask.redo()
    qtbot.waitUntil(lambda: stored(session, 3) == ["corrected", "corrected", "skipped"])
    np.testing.assert_array_equal(session.load_mask()[:2], mask.data[:2])


def test_copies_come_from_the_slice_before_and_end_at_the_last_one(
    widget: ReviewWidget, tools: ToolsTab
) -> None:
    mask, viewer = mask_of(tools), widget.viewer
    viewer.dims.set_point(0, 10.0 + 3 * 4)
    click(tools.buttons["copy_previous"])
    np.testing.assert_array_equal(mask.data[4] == TUMOUR, rods()[3] == TUMOUR)
    press(tools, Qt.Key.Key_Z)
    click(tools.buttons["copy_next"])
    assert tools.status.text() == "There is no tumour to copy."
    viewer.dims.set_point(0, 10.0 + 3 * 6)
    click(tools.buttons["copy_next"])
    assert tools.status.text() == "There is no slice after this one."
    np.testing.assert_array_equal(mask.data, rods())


def test_a_copy_goes_to_the_next_slice(widget: ReviewWidget, tools: ToolsTab) -> None:
    click(tools.buttons["copy_next"])
    assert widget.viewer.dims.point[0] == 10.0 + 3 * 4
    click(tools.buttons["copy_next"])
    assert changed(rods(), mask_of(tools).data) == [4], "the one after is the same already"
    assert widget.viewer.dims.point[0] == 10.0 + 3 * 5


def test_a_category_is_merged_into_another(tools: ToolsTab) -> None:
    mask = mask_of(tools)
    assert tools.target.currentText() == "oedema"
    click(tools.merge_button)
    assert tools.status.text() == "Merged tumour into oedema: −98 px in 1 slice."
    expected = rods()
    expected[SHOWN][expected[SHOWN] == TUMOUR] = OEDEMA
    np.testing.assert_array_equal(mask.data, expected)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, rods())


def test_category_and_brush_go_together(tools: ToolsTab) -> None:
    mask = mask_of(tools)
    tools.categories.setValue(2)
    assert mask.selected_label == OEDEMA
    assert tools.target.currentText() == "tumour"
    mask.selected_label = TUMOUR
    assert tools.value() == TUMOUR
    mask.selected_label = 77
    assert tools.value() == TUMOUR
    assert tools.categories.new_label.text.text() == "Label 77 is new:"
    mask.selected_label = OEDEMA
    assert tools.categories.new_label.isHidden()


def test_locked_categories_are_changed_by_no_tool(tools: ToolsTab) -> None:
    click_lock(tools.categories)
    assert locked_names(tools.categories) == ["tumour"]
    click(tools.buttons["grow"])
    assert tools.status.text() == "tumour is locked; unlock it to change it."
    tools.categories.setValue(2)
    tools.target.setCurrentIndex(0)
    click(tools.merge_button)
    assert tools.status.text() == "tumour is locked; unlock it to change it."
    np.testing.assert_array_equal(mask_of(tools).data, rods())
    click(tools.buttons["keep_largest"])
    tools.categories.setValue(1)
    click_lock(tools.categories)
    click(tools.buttons["grow"])
    assert tools.status.text().startswith("Grew tumour")


def test_locks_are_kept_with_the_session(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    click_lock(tools.categories)
    begin(qtbot, widget, tmp_path / "s")
    reopen_session(qtbot, widget)
    assert locked_names(tools.categories) == ["tumour"]
    click(tools.buttons["grow"])
    assert tools.status.text() == "tumour is locked; unlock it to change it."
    click_lock(tools.categories)
    tools.categories.setValue(2)
    click_lock(tools.categories)
    reopen_session(qtbot, widget)
    assert locked_names(tools.categories) == ["oedema"]
    assert [tools.target.itemText(i) for i in range(2)] == ["tumour", "oedema (locked)"]


def drag(qtbot: QtBot, tools: ToolsTab, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag the mouse over the canvas, from pixel to pixel of the slice."""
    tools.window().show()
    qtbot.waitExposed(tools.window())
    ends = (mask_of(tools).data_to_world((SHOWN, *pixel))[1:] for pixel in (start, end))
    stroke(qtbot, tools.viewer, *ends)


def until_put_back(qtbot: QtBot, tools: ToolsTab) -> None:
    said = "px of locked categories were restored."
    qtbot.waitUntil(lambda: tools.status.text().endswith(said))


@pytest.mark.parametrize(
    ("mode", "label"), [("paint", TUMOUR), ("erase", TUMOUR), ("paint", OEDEMA), ("fill", TUMOUR)]
)
def test_strokes_over_a_locked_category_are_put_back(
    qtbot: QtBot, tools: ToolsTab, mode: str, label: int
) -> None:
    mask = mask_of(tools)
    tools.categories.setValue(2)
    click_lock(tools.categories)
    mask.selected_label, mask.mode, mask.brush_size = label, mode, 5
    drag(qtbot, tools, (15, 22), (15, 17))
    until_put_back(qtbot, tools)
    after = mask.data.copy()
    np.testing.assert_array_equal(after == OEDEMA, rods() == OEDEMA)
    if mode != "fill" and label != OEDEMA:
        assert changed(rods(), after) == [SHOWN], "the rest of the stroke stays"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, rods())
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)


def test_other_edits_of_locked_categories_are_put_back(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    click_lock(tools.categories)
    mask.data_setitem((np.full(3, 1), np.full(3, 12), np.arange(8, 11)), OEDEMA)
    until_put_back(qtbot, tools)
    assert mask.data[1, 12, 7:12].tolist() == [0, OEDEMA, OEDEMA, TUMOUR, TUMOUR]
    mask.undo()
    np.testing.assert_array_equal(mask.data, rods())


def add_probabilities(widget: ReviewWidget, slices: slice = slice(None)) -> np.ndarray:
    """Probabilities of tumour that fall from 1 at its middle by 0.1 a pixel, in some slices."""
    rows, columns = np.indices(SHAPE[1:])
    plane = np.clip(1 - 0.1 * np.hypot(rows - 15, columns - 12), 0, 1).astype(np.float32)
    values = np.zeros(SHAPE, np.float32)
    values[slices] = plane
    add_map(widget.viewer, values, mask_of(widget.tools), "probability of tumour")
    widget.viewer.layers.selection.active = mask_of(widget.tools)
    return plane


def cut(level: float, plane: np.ndarray) -> np.ndarray:
    """Return the slice as a cut of the probabilities leaves it."""
    expected = rods()[SHOWN]
    expected[expected == TUMOUR] = 0
    expected[(plane >= level) & (expected == 0)] = TUMOUR
    return expected


def test_the_slider_shows_the_mask_live_and_is_one_step(
    widget: ReviewWidget, tools: ToolsTab
) -> None:
    mask = mask_of(tools)
    assert not tools.slider.isEnabled()
    assert "tick Probabilities in Segment" in tools.slider.toolTip()
    plane = add_probabilities(widget)
    assert tools.slider.isEnabled()
    tools.slider.setSliderDown(True)
    for position in (40, 70, 60):
        tools.slider.setValue(position)
        np.testing.assert_array_equal(mask.data[SHOWN], cut(position / 100, plane))
    assert tools.level.text() == "0.60"
    mask.undo()
    np.testing.assert_array_equal(mask.data[SHOWN], cut(0.6, plane), "no step so far")
    tools.slider.setSliderDown(False)
    after = mask.data.copy()
    assert changed(rods(), after) == [SHOWN]
    np.testing.assert_array_equal(after[SHOWN], cut(0.6, plane))
    assert tools.status.text().startswith("Cut tumour at 0.60: ")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, rods())
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)


def test_a_drag_that_does_not_end_leaves_the_mask(widget: ReviewWidget, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    add_probabilities(widget)
    tools.slider.setSliderDown(True)
    tools.slider.setValue(80)
    assert changed(rods(), mask.data) == [SHOWN]
    widget.viewer.layers.remove(mask)
    np.testing.assert_array_equal(mask.data, rods())


def test_keys_on_the_slider_cut_at_once(widget: ReviewWidget, tools: ToolsTab) -> None:
    plane = add_probabilities(widget)
    QTest.keyClick(tools.slider, Qt.Key.Key_Right)
    np.testing.assert_array_equal(mask_of(tools).data[SHOWN], cut(0.51, plane))


def test_slices_without_probabilities_are_not_cut(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab
) -> None:
    plane = add_probabilities(widget, slice(2, 4))
    tools.volume_button.setChecked(True)
    QTest.keyClick(tools.slider, Qt.Key.Key_Right)
    finish(qtbot, tools)
    assert changed(rods(), mask_of(tools).data) == [2, 3]
    np.testing.assert_array_equal(mask_of(tools).data[SHOWN], cut(0.51, plane))
    widget.viewer.dims.set_point(0, 10.0)
    assert not tools.slider.isEnabled()
    widget.viewer.dims.set_point(0, 10.0 + 3 * 2)
    assert tools.slider.isEnabled()
    tools.categories.setValue(2)
    assert not tools.slider.isEnabled()


@pytest.mark.parametrize("kind", [QEvent.Type.Show, QEvent.Type.Enter], ids=["shown", "entered"])
def test_a_map_that_is_filled_later_is_found(
    widget: ReviewWidget, tools: ToolsTab, kind: QEvent.Type
) -> None:
    add_probabilities(widget, slice(0, 2))
    assert not tools.slider.isEnabled()
    assert tools.level.text() == "no map"
    widget.viewer.layers["head mask · probability of tumour"].data[SHOWN] = 0.7
    QApplication.sendEvent(tools, QEvent(kind))
    assert tools.slider.isEnabled()
    assert tools.level.text() == "0.50"


def test_a_locked_category_is_not_cut(widget: ReviewWidget, tools: ToolsTab) -> None:
    add_probabilities(widget)
    click_lock(tools.categories)
    tools.slider.setSliderDown(True)
    tools.slider.setValue(70)
    np.testing.assert_array_equal(mask_of(tools).data, rods())
    tools.slider.setSliderDown(False)
    np.testing.assert_array_equal(mask_of(tools).data, rods())


def test_single_images_are_no_volume(qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab) -> None:
    record = LayerRecord(categories=CATEGORIES, independent=True)
    mask = widget.viewer.add_labels(
        np.zeros(SHAPE, np.uint8), name="images", metadata=record.as_metadata()
    )
    mask.data[3, 15, 15] = TUMOUR
    tools.volume_button.setChecked(True)
    click(tools.buttons["grow"])
    finish(qtbot, tools)
    assert changed(np.zeros(SHAPE), mask.data) == [3]
    click(tools.buttons["interpolate"])
    assert (
        tools.status.text() == "images is no volume; only slices of a volume can be interpolated."
    )


def test_a_slice_that_is_not_on_screen_is_not_changed(qtbot: QtBot, tools: ToolsTab) -> None:
    tools.viewer.dims.ndisplay = 3
    click(tools.buttons["grow"])
    assert tools.status.text().startswith("No slice is on screen as a plane")
    np.testing.assert_array_equal(mask_of(tools).data, rods())
    tools.volume_button.setChecked(True)
    click(tools.buttons["grow"])
    finish(qtbot, tools)
    assert changed(rods(), mask_of(tools).data) == [0, 1, 2, 3, 5, 6]


@pytest.mark.parametrize("beyond", [SHAPE[0] + 3, -2])
def test_beyond_the_mask_no_slice_is_changed(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, beyond: int
) -> None:
    longer = {**PLACE, "translate": (10 - 3 * 4, -5, 2)}
    widget.viewer.add_image(np.ones((16, 40, 50), np.uint8), name="longer", **longer)
    widget.viewer.dims.set_point(0, 10.0 + 3 * beyond)
    said = "No slice of head mask is on screen; go to one of its slices"
    for name in ("grow", "fill_holes", "interpolate"):
        click(tools.buttons[name])
        assert tools.status.text() == f"{said}, or choose the volume."
    tools.volume_button.setChecked(True)
    for name in ("copy_next", "copy_previous"):
        click(tools.buttons[name])
        assert tools.status.text() == f"{said}."
    np.testing.assert_array_equal(mask_of(tools).data, rods())
    click(tools.buttons["grow"])
    finish(qtbot, tools)
    assert tools.status.text().startswith("Grew tumour")


def test_a_plain_image_has_one_slice(widget: ReviewWidget, tools: ToolsTab) -> None:
    mask = add_mask(widget.viewer, rods()[0], "plain")
    tools.volume_button.setChecked(True)
    click(tools.buttons["fill_holes"])
    assert tools.status.text() == "Filled holes of tumour: +4 px in 1 slice."
    click(tools.buttons["copy_next"])
    assert tools.status.text() == "There is no slice after this one."
    assert not tools.volume_button.isEnabled()
    mask.undo()
    np.testing.assert_array_equal(mask.data, rods()[0])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (LayerRecord(), "The mask has no categories; name its first one above."),
        (
            LayerRecord(values="instances", categories=CATEGORIES),
            "other has a label for each object",
        ),
    ],
    ids=["plain", "instances"],
)
def test_masks_that_cannot_be_corrected_are_told(
    widget: ReviewWidget, tools: ToolsTab, record: LayerRecord, reason: str
) -> None:
    widget.viewer.add_labels(rods(), name="other", metadata=record.as_metadata())
    assert reason in tools.status.text()
    assert not tools.controls.isEnabled()
    widget.viewer.layers.selection.active = mask_of(tools)
    assert tools.controls.isEnabled()
    assert tools.categories.tree.names() == ["tumour", "oedema"]
    widget.viewer.layers.clear()
    assert tools.status.text() == "Choose a mask to correct."


def test_the_brush_paints_while_a_volume_is_worked_on(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    before = mask.data.copy()
    tools.volume_button.setChecked(True)
    click(tools.buttons["shrink"])
    assert not tools.controls.isEnabled()
    with mask.block_history():
        mask.data_setitem((np.array([0]), np.array([12]), np.array([12])), np.uint8(OEDEMA))
    painted = mask.data.copy()
    finish(qtbot, tools)
    assert tools.controls.isEnabled()
    assert mask.data[0, 12, 12] == OEDEMA
    assert changed(painted, mask.data)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, painted)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)


def test_a_volume_is_changed_after_the_stroke_that_is_drawn(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    canvas = canvas_of(tools.viewer)
    before = mask.data.copy()
    tools.volume_button.setChecked(True)
    click(tools.buttons["shrink"])
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton)
    job = active_jobs()[0]
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)
    np.testing.assert_array_equal(mask.data, before)
    assert tools.busy
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton)
    finish(qtbot, tools)
    assert changed(before, mask.data)


def test_a_tool_on_a_volume_counts_its_slices_and_can_be_stopped(
    qtbot: QtBot, tools: ToolsTab
) -> None:
    mask = mask_of(tools)
    before = mask.data.copy()
    seen, go_on = threading.Event(), threading.Event()

    def operation(labels: np.ndarray, place: Place) -> Change:
        if place == (2,):
            seen.set()
            go_on.wait(10)
        return change_to(labels, np.ones(labels.shape, bool), TUMOUR, ())

    use = ToolUse(mask, TUMOUR, CATEGORIES[0], "Covered", operation, True, "Cover")
    tools._runner.run_in_thread(use, 2)
    qtbot.waitUntil(lambda: seen.is_set() and tools.job_bar.progress.value() == 2)
    qtbot.waitUntil(lambda: not tools.job_bar.isHidden())
    assert tools.job_bar.progress.text() == "Cover: 2 of 7"
    click(tools.job_bar.stop_button)
    go_on.set()
    finish(qtbot, tools)
    np.testing.assert_array_equal(mask.data, before)
    assert tools.status.text() == "Stopped; nothing is changed."
    assert tools.job_bar.isHidden()


def test_a_result_goes_with_what_it_tells_of(tools: ToolsTab) -> None:
    click(tools.buttons["fill_holes"])
    assert "Filled holes" in tools.status.text()
    press(tools, Qt.Key.Key_Z)
    assert tools.status.text() == ""


def test_a_mask_that_is_removed_meanwhile_is_let_go(
    qtbot: QtBot, tools: ToolsTab, notifications: list[str]
) -> None:
    tools.volume_button.setChecked(True)
    click(tools.buttons["shrink"])
    mask = mask_of(tools)
    tools.viewer.layers.remove(mask)
    finish(qtbot, tools)
    np.testing.assert_array_equal(mask.data, rods())
    assert not tools.controls.isEnabled()
    assert not notifications


def test_every_control_says_what_it_does(tools: ToolsTab) -> None:
    assert tools.buttons.keys() == TOOLS.keys()
    for control in (*tools.buttons.values(), tools.categories.tree, tools.pixels):
        assert control.toolTip()
