"""Redrawn borders, boxes that are there, and what begins and ends all drawing on a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock
from disc_scene import (
    BOX,
    CENTRE,
    COLUMNS,
    NONE,
    OEDEMA,
    REDO,
    SHAPE,
    SHOWN,
    TUMOUR,
    assert_only_tumour,
    changed,
    click_button,
    dice,
    disc,
    helpers,
    mask_of,
    press,
    start,
)
from mouse import drag_along
from pages import dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import PLACE
from sessions import start_session

from napari_unet_seg._napari.tools.prompt_tools import DRAWN
from napari_unet_seg._napari.widgets.key_table import KEYS
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget
    from napari_unet_seg._napari.tools.tab import ToolsTab


def button_of(tools: ToolsTab, name: str) -> Any:
    return {"point": tools.point_bar.button, "border": tools.border_button}[name]


def is_done(said: str) -> bool:
    return not said.endswith("…")


def drag_arc(qtbot: QtBot, tools: ToolsTab, radius: float) -> None:
    """Drag the mouse along the right half of a circle."""
    angles = np.radians(np.linspace(-80, 80, 24))
    pixels = zip(
        CENTRE[0] + radius * np.sin(angles), CENTRE[1] + radius * np.cos(angles), strict=True
    )
    points = [mask_of(tools).data_to_world((SHOWN, *pixel))[1:] for pixel in pixels]
    drag_along(qtbot, tools.viewer, points)


def redraw(qtbot: QtBot, tools: ToolsTab, radius: float) -> None:
    """Drag the mouse along an arc, and wait for what comes of it."""
    with qtbot.waitSignal(tools._runner.status_changed, check_params_cb=is_done):
        drag_arc(qtbot, tools, radius)


def test_a_line_is_the_new_border(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    click_button(tools.border_button)
    assert helpers(tools)[-1] == "line"
    redraw(qtbot, tools, 14)
    after = mask.data.copy()
    assert changed(before, after) == [SHOWN]
    assert_only_tumour(before, after)
    right = COLUMNS > CENTRE[1] + 3
    assert dice((after[SHOWN] == TUMOUR) & right, right) > 0.96
    np.testing.assert_array_equal(after[:, :, :30], before[:, :, :30])
    assert tools.status.text().startswith("Redrew the border of tumour: +")
    assert tools.border_button.isChecked(), "ready for the next line"
    assert not tools.viewer.layers["line"].data.any(), "the line is gone"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)
    redraw(qtbot, tools, 10)
    assert not (mask.data[SHOWN, CENTRE[0] - 3 : CENTRE[0] + 4, CENTRE[1] + 12 :] == TUMOUR).any()


def test_a_line_leaves_what_is_painted_meanwhile(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    spot = (SHOWN, CENTRE[0], CENTRE[1] + 11)
    tools.border_button.click()
    tools.prompts.border.layer.drawn.connect(
        lambda: mask.data_setitem(tuple(map(np.array, spot)), OEDEMA)
    )
    redraw(qtbot, tools, 14)
    assert mask.data[spot] == OEDEMA
    assert mask.data[SHOWN, CENTRE[0], CENTRE[1] + 12] == TUMOUR


@pytest.mark.parametrize("other", ["button", "mode"])
def test_other_drags_are_no_lines(qtbot: QtBot, tools: ToolsTab, other: str) -> None:
    click_button(tools.border_button)
    layer = tools.viewer.layers["line"]
    button = Qt.MouseButton.RightButton if other == "button" else Qt.MouseButton.LeftButton
    points = [mask_of(tools).data_to_world((SHOWN, 30, x))[1:] for x in range(38, 60, 4)]
    if other == "mode":
        layer.mode = "pan_zoom"
        points = points[:1]  # the canvas would go with the mouse
    with qtbot.assertNotEmitted(tools.prompts.border.layer.drawn, wait=200):
        drag_along(qtbot, tools.viewer, points, button)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_a_click_is_no_line(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.border_button)
    with qtbot.waitSignal(tools.prompts.border.layer.drawn):
        drag_along(qtbot, tools.viewer, [mask_of(tools).data_to_world((SHOWN, 30, 30))[1:]])
    assert not tools.viewer.layers["line"].data.any()
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_a_line_that_arrives_after_its_slice_was_accepted_counts(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    start_session(qtbot, widget, tmp_path / "s")
    session, mask = widget.session, mask_of(tools)
    # Accepted before the result can arrive, which takes the event loop.
    tools.prompts.border.layer.drawn.connect(widget.review.accept)
    click_button(tools.border_button)
    drag_arc(qtbot, tools, 14)
    qtbot.waitUntil(lambda: tools.status.text().startswith("Redrew"))
    assert widget.desk.current.shown.index != SHOWN
    assert session.states[SHOWN] is ReviewState.ACCEPTED
    qtbot.waitUntil(lambda: Session.open(session.folder).states[SHOWN] is ReviewState.CORRECTED)
    np.testing.assert_array_equal(session.load_mask()[SHOWN], mask.data[SHOWN])
    assert (mask.data[SHOWN] != start()[SHOWN]).any()


def press_escape(tools: ToolsTab) -> None:
    press(tools, Qt.Key.Key_Escape, NONE)


ENDS = {
    "escape": press_escape,
    "escape on its button": lambda tools: QTest.keyClick(tools.point_bar.button, Qt.Key.Key_Escape),
    "again": lambda tools: click_button(tools.point_bar.button),
    "tab": lambda tools: tools.parent().parent().setCurrentIndex(0),
    "3D": lambda tools: setattr(tools.viewer.dims, "ndisplay", 3),
    "image": lambda tools: setattr(
        tools.viewer.layers.selection, "active", tools.viewer.layers["head"]
    ),
    "deleted": lambda tools: tools.viewer.layers.remove(tools.viewer.layers["prompts"]),
    "tool": lambda tools: click_button(tools.buttons["grow"]),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_the_drawing(qtbot: QtBot, tools: ToolsTab, end: str) -> None:
    before = helpers(tools)
    click_button(tools.point_bar.button)
    assert helpers(tools) == [*before, "prompts"]
    ENDS[end](tools)
    qtbot.waitUntil(lambda: not tools.point_bar.button.isChecked())
    assert helpers(tools) == before
    active = tools.viewer.layers.selection.active
    assert active.name == ("head" if end == "image" else "head mask")


def test_no_marks_are_drawn_beyond_the_mask(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.volume_button)
    click_button(tools.point_bar.button)
    far = 10.0 + 3 * (SHAPE[0] + 2)
    tools.viewer.add_points([(far, 0, 0)], units=PLACE["units"])
    tools.viewer.layers.selection.active = tools.viewer.layers["prompts"]
    tools.viewer.dims.set_point(0, far)
    qtbot.waitUntil(lambda: not tools.point_bar.button.isChecked())
    click_button(tools.point_bar.button)
    assert not tools.point_bar.button.isChecked()
    assert "No slice of head mask is on screen" in tools.status.text()


@pytest.mark.parametrize("name", DRAWN)
def test_all_layers_may_go_while_marks_are_drawn(
    qtbot: QtBot, tools: ToolsTab, name: str, notifications: list[str]
) -> None:
    button_of(tools, name).click()
    tools.viewer.layers.clear()
    qtbot.waitUntil(lambda: not button_of(tools, name).isChecked())
    assert not tools.viewer.layers
    assert not notifications


@pytest.mark.parametrize("name", DRAWN)
def test_a_dock_that_is_closed_takes_its_layer_away(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, name: str
) -> None:
    button_of(tools, name).click()
    assert helpers(tools)
    widget.viewer.window.remove_dock_widget(dock_of(widget))
    dock_of(widget).deleteLater()
    assert [layer.name for layer in widget.viewer.layers] == ["head", "head mask"]
    assert widget.viewer.layers.selection.active.name == "head mask"


@pytest.mark.parametrize("name", DRAWN)
def test_keys_turn_the_marks_on_and_off(qtbot: QtBot, tools: ToolsTab, name: str) -> None:
    key = getattr(Qt.Key, f"Key_{KEYS[name].key}")
    for layer in ("head", "head mask"):
        tools.viewer.layers.selection.active = tools.viewer.layers[layer]
        press(tools, key, NONE)
        assert button_of(tools, name).isChecked()
        assert [other for other in DRAWN if button_of(tools, other).isChecked()] == [name]
        press(tools, key, NONE)
        assert not button_of(tools, name).isChecked()
        assert helpers(tools) == []
    tools.hide()
    press(tools, key, NONE)
    assert not button_of(tools, name).isChecked(), "the tools are not in front"


def test_a_locked_category_takes_no_marks(tools: ToolsTab) -> None:
    click_lock(tools.categories)
    for button in (tools.point_bar.button, tools.border_button, tools.outline_button):
        click_button(button)
        assert not button.isChecked()
        assert tools.status.text() == "tumour is locked; unlock it to change it."
    assert helpers(tools) == []
    np.testing.assert_array_equal(mask_of(tools).data, start())


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_marks_need_a_slice_on_screen(tools: ToolsTab, whole: bool) -> None:
    tools.volume_button.setChecked(whole)
    tools.viewer.dims.ndisplay = 3
    tools.point_bar.button.click()
    assert not tools.point_bar.button.isChecked()
    assert "turn the view back" in tools.status.text()
    assert helpers(tools) == []


def test_a_mask_without_its_image_is_told(widget: ReviewWidget) -> None:
    tools = widget.tools
    tools.viewer.layers.remove(tools.viewer.layers["head"])
    click_button(tools.point_bar.button)
    assert tools.status.text() == "Prompts need grey values; open the image of head mask."
    tools.viewer.add_image(np.zeros((3, 4)), name="other")
    click_button(tools.point_bar.button)
    assert tools.status.text() == "Prompts need grey values; open the image of head mask."
    assert not tools.point_bar.button.isChecked()


def boxed() -> np.ndarray:
    """Boxes around the disc in some slices, and one of another category."""
    labels = np.zeros(SHAPE, np.uint8)
    (top, left), (bottom, right) = BOX
    for index in (0, 2, 3):
        labels[index, top:bottom, left:right] = TUMOUR
    labels[:, 50:60, 60:70] = OEDEMA
    return labels


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_boxes_that_are_there_become_outlines(qtbot: QtBot, tools: ToolsTab, whole: bool) -> None:
    mask = mask_of(tools)
    mask.data[...] = before = boxed()
    tools.volume_button.setChecked(whole)
    click_button(tools.outline_button)
    qtbot.waitUntil(lambda: not tools.busy)
    assert changed(before, mask.data) == ([0, 2, 3] if whole else [SHOWN])
    assert_only_tumour(before, mask.data)
    found = mask.data[SHOWN] == TUMOUR
    assert 2 * (found & disc()).sum() / (found.sum() + disc().sum()) > 0.9
    assert tools.status.text().startswith("Outlined the boxes of tumour: −")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
