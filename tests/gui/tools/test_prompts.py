"""Boxes that become outlines, and strokes and lines that move a border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock
from mouse import canvas_of, drag_along, stroke
from pages import dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES, PLACE, add_mask

from napari_unet_seg._napari.layers.conversion import add_map, is_user_layer
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.tools.prompt_bar import PROMPTS
from napari_unet_seg._napari.widgets.key_table import KEYS
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

TUMOUR, OEDEMA = 1, 2
SHAPE = (5, 64, 80)
SHOWN = 2
CENTRE, RADIUS = (30, 35), 14
BOX = ((14, 19), (46, 51))
"""Corners around the disc."""
CONTROL = Qt.KeyboardModifier.ControlModifier
REDO = CONTROL | Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
ROWS, COLUMNS = np.indices(SHAPE[1:])


def disc(radius: float = RADIUS) -> np.ndarray:
    inside: np.ndarray = np.hypot(ROWS - CENTRE[0], COLUMNS - CENTRE[1]) <= radius
    return inside


def start() -> np.ndarray:
    """A mask of the disc that is too small, oedema in a corner of the box, a strip unreviewed."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, disc(8)] = TUMOUR
    labels[:, 16:22, 20:34] = OEDEMA
    labels[:, 42:44] = IGNORE_INDEX
    return labels


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a bright disc in every slice, its mask, and the tools in front.

    It is given the viewer as napari gives it to plugins.
    """
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    noise = np.random.default_rng(1).normal(0, 4, SHAPE)
    viewer.add_image(60 + 100.0 * disc() + noise, name="head", **PLACE)
    add_mask(viewer, start(), **PLACE)
    viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    return widget


@pytest.fixture
def tools(qtbot: QtBot, widget: ReviewWidget) -> ToolsTab:
    """The tools in a window on screen."""
    widget.window().show()
    qtbot.waitExposed(widget.window())
    return widget.tools


@pytest.fixture
def probabilities(widget: ReviewWidget) -> None:
    """A map of the probabilities, which is right."""
    values = np.broadcast_to(np.where(disc(), 0.9, 0.1), SHAPE)
    mask = widget.viewer.layers["head mask"]
    add_map(widget.viewer, values, mask, "probability of tumour")
    widget.viewer.layers.selection.active = mask


def viewer_of(tools: ToolsTab) -> Any:
    """The viewer itself."""
    return tools.viewer


def mask_of(tools: ToolsTab) -> Any:
    return viewer_of(tools).layers["head mask"]


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def press(tools: ToolsTab, key: Any, modifier: Any = CONTROL) -> None:
    """Press a key over napari's canvas."""
    QTest.keyClick(canvas_of(viewer_of(tools)), key, modifier)


def drag(qtbot: QtBot, tools: ToolsTab, corner: tuple[int, int], other: tuple[int, int]) -> None:
    """Drag the mouse over the canvas, from pixel to pixel of the slice."""
    ends = (mask_of(tools).data_to_world((SHOWN, *pixel))[1:] for pixel in (corner, other))
    stroke(qtbot, viewer_of(tools), *ends)


def drag_and_wait(qtbot: QtBot, tools: ToolsTab, *ends: tuple[int, int]) -> None:
    """Drag the mouse, and wait for what comes of it."""
    with qtbot.waitSignal(tools._runner.status_changed, check_params_cb=is_done):
        drag(qtbot, tools, *ends)


def is_done(said: str) -> bool:
    return not said.endswith("…")


def helpers(tools: ToolsTab) -> list[str]:
    """Names of the layers that are not the user's."""
    return [x.name for x in viewer_of(tools).layers if not is_user_layer(x, type(x))]


def changed(before: np.ndarray, after: np.ndarray) -> list[int]:
    return np.flatnonzero((before != after).any((1, 2))).tolist()


def assert_only_tumour(before: np.ndarray, after: np.ndarray) -> None:
    """Nothing but tumour and background may have changed."""
    others = ~np.isin(before, (0, TUMOUR))
    np.testing.assert_array_equal(before[others], after[others])
    assert set(np.unique(after[before != after])) <= {0, TUMOUR}


def dice(found: np.ndarray, part: Any = True) -> float:
    truth = disc() & ~np.isin(start()[SHOWN], (OEDEMA, IGNORE_INDEX)) & part
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


@pytest.mark.usefixtures("probabilities")
def test_a_box_becomes_an_outline(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    click(tools.prompt_bar.buttons["box"])
    assert helpers(tools)[-1] == "box"
    drag_and_wait(qtbot, tools, *BOX)
    after = mask.data.copy()
    assert changed(before, after) == [SHOWN]
    assert_only_tumour(before, after)
    assert dice(after[SHOWN] == TUMOUR) > 0.9
    assert tools.status.text().startswith("Outlined tumour: +")
    assert tools.prompt_bar.buttons["box"].isChecked(), "ready for the next box"
    assert not len(viewer_of(tools).layers["box"].data), "the rectangle is gone"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)
    drag_and_wait(qtbot, tools, *BOX)
    assert tools.status.text().startswith("Nothing to change")


@pytest.mark.usefixtures("probabilities")
def test_what_a_box_does_not_hold_stays(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    mask.data[SHOWN, 58:62, 70:75] = TUMOUR
    before = mask.data.copy()
    click(tools.prompt_bar.buttons["box"])
    drag_and_wait(qtbot, tools, *BOX)
    (top, left), (bottom, right) = BOX
    outside = np.ones(SHAPE[1:], bool)
    outside[top : bottom + 1, left : right + 1] = False
    np.testing.assert_array_equal(before[SHOWN][outside], mask.data[SHOWN][outside])
    assert changed(before, mask.data) == [SHOWN]


@pytest.mark.usefixtures("probabilities")
def test_a_click_is_no_box(qtbot: QtBot, tools: ToolsTab) -> None:
    click(tools.prompt_bar.buttons["box"])
    with qtbot.waitSignal(tools.prompts._boxes.drawn):
        drag(qtbot, tools, (30, 30), (30, 30))
    assert not len(viewer_of(tools).layers["box"].data)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_the_model_of_segment_helps_where_there_is_no_map(qtbot: QtBot, tools: ToolsTab) -> None:
    tools.prompt_bar.buttons["box"].click()
    drag_and_wait(qtbot, tools, *BOX)
    assert tools.status.text().startswith("Outlined tumour")
    assert len(tools.prompts._probabilities._kept) == 1
    categories, planes = next(iter(tools.prompts._probabilities._kept.values()))
    assert planes.shape == (len(categories), *SHAPE[1:])
    press(tools, Qt.Key.Key_Z)
    drag_and_wait(qtbot, tools, *BOX)
    assert len(tools.prompts._probabilities._kept) == 1, "the slice was not predicted again"


def drag_arc(qtbot: QtBot, tools: ToolsTab, radius: float) -> None:
    """Drag the mouse along the right half of a circle."""
    angles = np.radians(np.linspace(-80, 80, 24))
    pixels = zip(
        CENTRE[0] + radius * np.sin(angles), CENTRE[1] + radius * np.cos(angles), strict=True
    )
    points = [mask_of(tools).data_to_world((SHOWN, *pixel))[1:] for pixel in pixels]
    drag_along(qtbot, viewer_of(tools), points)


def redraw(qtbot: QtBot, tools: ToolsTab, radius: float) -> None:
    """Drag the mouse along an arc, and wait for what comes of it."""
    with qtbot.waitSignal(tools._runner.status_changed, check_params_cb=is_done):
        drag_arc(qtbot, tools, radius)


def test_a_line_is_the_new_border(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    click(tools.prompt_bar.buttons["border"])
    assert helpers(tools)[-1] == "line"
    redraw(qtbot, tools, 14)
    after = mask.data.copy()
    assert changed(before, after) == [SHOWN]
    assert_only_tumour(before, after)
    right = COLUMNS > CENTRE[1] + 3
    assert dice((after[SHOWN] == TUMOUR) & right, right) > 0.96
    np.testing.assert_array_equal(after[:, :, :30], before[:, :, :30])
    assert tools.status.text().startswith("Redrew the border of tumour: +")
    assert tools.prompt_bar.buttons["border"].isChecked(), "ready for the next line"
    assert not viewer_of(tools).layers["line"].data.any(), "the line is gone"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)
    redraw(qtbot, tools, 10)
    assert not (mask.data[SHOWN, CENTRE[0] - 3 : CENTRE[0] + 4, CENTRE[1] + 12 :] == TUMOUR).any()


def test_a_line_leaves_what_is_painted_meanwhile(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    spot = (SHOWN, CENTRE[0], CENTRE[1] + 11)
    tools.prompt_bar.buttons["border"].click()
    tools.prompts._lines.drawn.connect(
        lambda: mask.data_setitem(tuple(map(np.array, spot)), OEDEMA)
    )
    redraw(qtbot, tools, 14)
    assert mask.data[spot] == OEDEMA
    assert mask.data[SHOWN, CENTRE[0], CENTRE[1] + 12] == TUMOUR


@pytest.mark.parametrize("other", ["button", "mode"])
def test_other_drags_are_no_lines(qtbot: QtBot, tools: ToolsTab, other: str) -> None:
    click(tools.prompt_bar.buttons["border"])
    layer = viewer_of(tools).layers["line"]
    button = Qt.MouseButton.RightButton if other == "button" else Qt.MouseButton.LeftButton
    points = [mask_of(tools).data_to_world((SHOWN, 30, x))[1:] for x in range(38, 60, 4)]
    if other == "mode":
        layer.mode = "pan_zoom"
        points = points[:1]  # the canvas would go with the mouse
    with qtbot.assertNotEmitted(tools.prompts._lines.drawn, wait=200):
        drag_along(qtbot, viewer_of(tools), points, button)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_a_click_is_no_line(qtbot: QtBot, tools: ToolsTab) -> None:
    click(tools.prompt_bar.buttons["border"])
    with qtbot.waitSignal(tools.prompts._lines.drawn):
        drag_along(qtbot, viewer_of(tools), [mask_of(tools).data_to_world((SHOWN, 30, 30))[1:]])
    assert not viewer_of(tools).layers["line"].data.any()
    np.testing.assert_array_equal(mask_of(tools).data, start())


@pytest.mark.parametrize(
    ("kind", "ends", "sign"),
    [("inside", ((30, 25), (30, 46)), 1), ("outside", ((30, 35), (38, 35)), -1)],
)
def test_a_stroke_moves_the_border(
    qtbot: QtBot, tools: ToolsTab, kind: str, ends: Any, sign: int
) -> None:
    mask, before = mask_of(tools), start()
    click(tools.prompt_bar.buttons[kind])
    drag_and_wait(qtbot, tools, *ends)
    after = mask.data.copy()
    assert changed(before, after) == [SHOWN]
    assert_only_tumour(before, after)
    strokes = viewer_of(tools).layers["strokes"].data[SHOWN] != 0
    assert strokes[ends[0]]
    assert ((after[SHOWN][strokes] == TUMOUR) == (sign > 0)).all()
    assert np.sign(np.sum(after == TUMOUR) - np.sum(before == TUMOUR)) == sign
    assert np.sum(before != after) > np.sum(strokes & (before[SHOWN] == TUMOUR)) * (sign < 0)
    if sign > 0:
        assert dice(after[SHOWN] == TUMOUR) > 0.9
    assert tools.status.text().startswith("Moved the border of tumour: ")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    assert not viewer_of(tools).layers["strokes"].data.any(), "its stroke is forgotten"
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)
    np.testing.assert_array_equal(viewer_of(tools).layers["strokes"].data[SHOWN] != 0, strokes)


def test_strokes_of_a_slice_are_solved_together(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    click(tools.prompt_bar.buttons["outside"])
    drag_and_wait(qtbot, tools, (30, 45), (30, 50))
    first = mask.data.copy()
    click(tools.prompt_bar.buttons["inside"])
    assert not tools.prompt_bar.buttons["outside"].isChecked()
    drag_and_wait(qtbot, tools, (30, 25), (30, 40))
    strokes = viewer_of(tools).layers["strokes"].data[SHOWN]
    assert set(np.unique(strokes)) == {0, 1, 2}
    assert (mask.data[SHOWN][strokes == 2] != TUMOUR).all(), "the first stroke still holds"
    assert (mask.data[SHOWN][strokes == 1] == TUMOUR).all()
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, first)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, start())
    assert not viewer_of(tools).layers["strokes"].data.any()


def test_strokes_go_with_their_slice(qtbot: QtBot, tools: ToolsTab) -> None:
    click(tools.prompt_bar.buttons["inside"])
    drag_and_wait(qtbot, tools, (30, 25), (30, 46))
    after = mask_of(tools).data.copy()
    viewer_of(tools).dims.set_point(0, 10.0)
    assert not viewer_of(tools).layers["strokes"].data.any()
    np.testing.assert_array_equal(mask_of(tools).data, after)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_strokes_leave_locked_and_unreviewed_pixels(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    tools.categories.setValue(2)
    click_lock(tools.categories)
    tools.categories.setValue(1)
    click(tools.prompt_bar.buttons["inside"])
    drag_and_wait(qtbot, tools, (18, 30), (46, 40))
    assert_only_tumour(before, mask.data)
    assert (mask.data[SHOWN, 44:46] == TUMOUR).any(), "beyond the strip it was taken"


MARKED = {
    "box": lambda qtbot, tools: drag(qtbot, tools, *BOX),
    "inside": lambda qtbot, tools: drag(qtbot, tools, (30, 25), (30, 46)),
    "border": lambda qtbot, tools: drag_arc(qtbot, tools, 14),
}
FINISHED = ("Outlined", "Moved", "Redrew")


@pytest.mark.usefixtures("probabilities")
@pytest.mark.parametrize("name", MARKED)
def test_a_mark_that_arrives_after_its_slice_was_accepted_counts(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path, name: str
) -> None:
    widget.bar.folder.setValue(tmp_path / "s")
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.bar.start_button.click()
    qtbot.waitUntil(lambda: not widget.desk.busy)
    session, mask = widget.session, mask_of(tools)
    layers = {"box": tools.prompts._boxes, "border": tools.prompts._lines}
    drawn = layers.get(name, tools.prompts._scribble_tool._layer).drawn
    # Accepted before the result can arrive, which takes the event loop.
    drawn.connect(widget.review.accept)
    click(tools.prompt_bar.buttons[name])
    MARKED[name](qtbot, tools)
    qtbot.waitUntil(lambda: tools.status.text().startswith(FINISHED))
    assert widget.desk.current.index != SHOWN
    assert session.states[SHOWN] is ReviewState.ACCEPTED
    qtbot.waitUntil(lambda: Session.open(session.folder).states[SHOWN] is ReviewState.CORRECTED)
    np.testing.assert_array_equal(session.load_mask()[SHOWN], mask.data[SHOWN])
    assert (mask.data[SHOWN] != start()[SHOWN]).any()


def press_escape(tools: ToolsTab) -> None:
    press(tools, Qt.Key.Key_Escape, NONE)


ENDS = {
    "escape": press_escape,
    "escape on its button": lambda tools: QTest.keyClick(
        tools.prompt_bar.buttons["box"], Qt.Key.Key_Escape
    ),
    "again": lambda tools: click(tools.prompt_bar.buttons["box"]),
    "category": lambda tools: tools.categories.setValue(2),
    "tab": lambda tools: tools.parent().parent().setCurrentIndex(0),
    "3D": lambda tools: setattr(viewer_of(tools).dims, "ndisplay", 3),
    "image": lambda tools: setattr(
        viewer_of(tools).layers.selection, "active", viewer_of(tools).layers["head"]
    ),
    "deleted": lambda tools: viewer_of(tools).layers.remove(viewer_of(tools).layers["box"]),
    "tool": lambda tools: click(tools.buttons["grow"]),
}


@pytest.mark.usefixtures("probabilities")
@pytest.mark.parametrize("end", ENDS)
def test_what_ends_the_drawing(qtbot: QtBot, tools: ToolsTab, end: str) -> None:
    before = helpers(tools)
    click(tools.prompt_bar.buttons["box"])
    assert helpers(tools) == [*before, "box"]
    ENDS[end](tools)
    qtbot.waitUntil(lambda: not tools.prompt_bar.buttons["box"].isChecked())
    assert helpers(tools) == before
    active = viewer_of(tools).layers.selection.active
    assert active.name == ("head" if end == "image" else "head mask")


def test_no_marks_are_drawn_beyond_the_mask(qtbot: QtBot, tools: ToolsTab) -> None:
    click(tools.volume_button)
    click(tools.prompt_bar.buttons["box"])
    far = 10.0 + 3 * (SHAPE[0] + 2)
    viewer_of(tools).add_points([(far, 0, 0)], units=PLACE["units"])
    viewer_of(tools).layers.selection.active = viewer_of(tools).layers["box"]
    viewer_of(tools).dims.set_point(0, far)
    qtbot.waitUntil(lambda: not tools.prompt_bar.buttons["box"].isChecked())
    click(tools.prompt_bar.buttons["box"])
    assert not tools.prompt_bar.buttons["box"].isChecked()
    assert "No slice of head mask is on screen" in tools.status.text()


@pytest.mark.parametrize("name", PROMPTS)
def test_all_layers_may_go_while_marks_are_drawn(
    qtbot: QtBot, tools: ToolsTab, name: str, notifications: list[str]
) -> None:
    tools.prompt_bar.buttons[name].click()
    viewer_of(tools).layers.clear()
    qtbot.waitUntil(lambda: not tools.prompt_bar.buttons[name].isChecked())
    assert not viewer_of(tools).layers
    assert not notifications


@pytest.mark.parametrize("name", PROMPTS)
def test_a_dock_that_is_closed_takes_its_layer_away(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, name: str
) -> None:
    tools.prompt_bar.buttons[name].click()
    assert helpers(tools)
    viewer_of(widget.tools).window.remove_dock_widget(dock_of(widget))
    dock_of(widget).deleteLater()
    assert [layer.name for layer in viewer_of(widget.tools).layers] == ["head", "head mask"]
    assert viewer_of(widget.tools).layers.selection.active.name == "head mask"


@pytest.mark.parametrize("name", PROMPTS)
def test_keys_turn_the_marks_on_and_off(qtbot: QtBot, tools: ToolsTab, name: str) -> None:
    key = getattr(Qt.Key, f"Key_{KEYS[name].key}")
    for layer in ("head", "head mask"):
        viewer_of(tools).layers.selection.active = viewer_of(tools).layers[layer]
        press(tools, key, NONE)
        assert tools.prompt_bar.buttons[name].isChecked()
        assert [b.isChecked() for b in tools.prompt_bar.buttons.values()].count(True) == 1
        press(tools, key, NONE)
        assert not tools.prompt_bar.buttons[name].isChecked()
        assert helpers(tools) == []
    tools.hide()
    press(tools, key, NONE)
    assert not tools.prompt_bar.buttons[name].isChecked(), "the tools are not in front"


def test_a_locked_category_takes_no_marks(tools: ToolsTab) -> None:
    click_lock(tools.categories)
    for button in (*tools.prompt_bar.buttons.values(), tools.prompt_bar.outline_button):
        click(button)
        assert not button.isChecked()
        assert tools.status.text() == "tumour is locked; unlock it to change it."
    assert helpers(tools) == []
    np.testing.assert_array_equal(mask_of(tools).data, start())


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_marks_need_a_slice_on_screen(tools: ToolsTab, whole: bool) -> None:
    tools.volume_button.setChecked(whole)
    viewer_of(tools).dims.ndisplay = 3
    tools.prompt_bar.buttons["inside"].click()
    assert not tools.prompt_bar.buttons["inside"].isChecked()
    assert "turn the view back" in tools.status.text()
    assert helpers(tools) == []


def test_a_mask_without_its_image_is_told(widget: ReviewWidget) -> None:
    tools = widget.tools
    viewer_of(tools).layers.remove(viewer_of(tools).layers["head"])
    click(tools.prompt_bar.buttons["inside"])
    assert tools.status.text() == "Prompts need grey values; open the image of head mask."
    viewer_of(tools).add_image(np.zeros((3, 4)), name="other")
    click(tools.prompt_bar.buttons["inside"])
    assert tools.status.text() == "Prompts need grey values; open the image of head mask."
    assert not tools.prompt_bar.buttons["inside"].isChecked()


def boxed() -> np.ndarray:
    """Boxes around the disc in some slices, and one of another category."""
    labels = np.zeros(SHAPE, np.uint8)
    (top, left), (bottom, right) = BOX
    for index in (0, 2, 3):
        labels[index, top:bottom, left:right] = TUMOUR
    labels[:, 50:60, 60:70] = OEDEMA
    return labels


@pytest.mark.usefixtures("probabilities")
@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
def test_boxes_that_are_there_become_outlines(qtbot: QtBot, tools: ToolsTab, whole: bool) -> None:
    mask = mask_of(tools)
    mask.data[...] = before = boxed()
    tools.volume_button.setChecked(whole)
    click(tools.prompt_bar.outline_button)
    qtbot.waitUntil(lambda: not tools.busy)
    assert changed(before, mask.data) == ([0, 2, 3] if whole else [SHOWN])
    assert_only_tumour(before, mask.data)
    found = mask.data[SHOWN] == TUMOUR
    assert 2 * (found & disc()).sum() / (found.sum() + disc().sum()) > 0.9
    assert tools.status.text().startswith("Outlined the boxes of tumour: −")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_a_mask_of_one_category_and_one_slice(
    qtbot: QtBot, tools: ToolsTab, channels: tuple[int, ...]
) -> None:
    viewer = viewer_of(tools)
    viewer.layers.clear()
    photo = np.zeros((*SHAPE[1:], *channels), np.uint8)
    photo[disc()] = 100
    viewer.add_image(photo, name="photo", rgb=bool(channels))
    mask = add_mask(viewer, disc(8).astype(np.uint8), "photo mask", CATEGORIES[:1])
    tools.prompt_bar.buttons["inside"].click()
    with qtbot.waitSignal(tools._runner.status_changed):
        stroke(qtbot, viewer, (30, 25), (30, 46))
    assert dice(mask.data == TUMOUR) > 0.85
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, disc(8))
