"""Clicks, strokes, boxes and lassos in a real window; a network of the test answers them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock
from disc_scene import (
    BOX,
    CENTRE,
    COLUMNS,
    CONTROL,
    NONE,
    OEDEMA,
    REDO,
    SHAPE,
    SHOWN,
    TUMOUR,
    BrightNetwork,
    assert_only_tumour,
    changed,
    click_button,
    dice,
    disc,
    drag,
    helpers,
    mask_of,
    press,
    start,
)
from mouse import canvas_of, canvas_position, drag_along, move_to, send
from qtpy.QtCore import QEvent, Qt
from scene import CATEGORIES, add_mask
from sessions import start_session

from napari_unet_seg._napari.tools.point import preview
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget
    from napari_unet_seg._napari.tools.tab import ToolsTab

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
RIGHT = Qt.MouseButton.RightButton
RIM = (30, 47)
"""A pixel of the disc that the mask lacks."""
LASSO = ((13, 20), (14, 50), (47, 51), (46, 18))
"""Corners of a loose line around the disc."""
SIDE = (30, 29)
"""A pixel near the border of the mask."""


@pytest.fixture
def tools(qtbot: QtBot, tools: ToolsTab) -> ToolsTab:
    """The tools in a window on screen, with Point on."""
    click_button(tools.point_bar.button)
    qtbot.wait(50)  # napari's controls of the layer are wider, and the canvas is narrower
    return tools


def camera_of(tools: ToolsTab) -> Any:
    return getattr(tools.viewer, "scene", tools.viewer).camera  # newer napari has several scenes


def prompts(tools: ToolsTab) -> np.ndarray:
    """What is drawn on the slice."""
    drawn: np.ndarray = tools.viewer.layers["prompts"].data[SHOWN]
    return drawn


def give(qtbot: QtBot, tools: ToolsTab, *pixels: tuple[float, float], **how: Any) -> None:
    """Give a prompt, and wait until the mask follows."""
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, *pixels, **how)


def test_a_click_takes_the_object_as_one_step(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    assert helpers(tools)[-1] == "prompts"
    give(qtbot, tools, RIM)
    after = mask.data.copy()
    assert changed(before, after) == [SHOWN]
    assert_only_tumour(before, after)
    assert dice(after[SHOWN] == TUMOUR) > 0.95
    assert tools.status.text().startswith("Click inside tumour: +")
    assert tools.point_bar.button.isChecked(), "ready for the next prompt"
    shown = prompts(tools).copy()
    assert shown[RIM] == 1
    assert {1, 4} <= set(np.unique(shown)), "with a rim, which parts it from the mask's colour"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    assert not prompts(tools).any(), "the click is gone with what it did"
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)
    np.testing.assert_array_equal(prompts(tools), shown)


@pytest.mark.parametrize("how", [{"modifiers": CONTROL}, {"button": RIGHT}], ids=["ctrl", "right"])
def test_a_click_outside_removes(qtbot: QtBot, tools: ToolsTab, how: Any) -> None:
    zoom = camera_of(tools).zoom
    give(qtbot, tools, SIDE, **how)
    after = mask_of(tools).data
    assert_only_tumour(start(), after)
    assert (after == TUMOUR).sum() < (start() == TUMOUR).sum()
    assert after[(SHOWN, *SIDE)] == 0
    assert prompts(tools)[SIDE] == 2
    assert tools.status.text().startswith("Click outside tumour: −")
    assert camera_of(tools).zoom == zoom, "the right button does not zoom now"


@pytest.mark.parametrize("how", [{}, {"modifiers": CONTROL}], ids=["inside", "outside"])
def test_a_drag_is_a_stroke(qtbot: QtBot, tools: ToolsTab, how: Any) -> None:
    centre = tuple(camera_of(tools).center)
    ends = ((30, 25), (30, 46)) if not how else ((24, 30), (36, 30))
    give(qtbot, tools, *ends, **how)
    after, marked = mask_of(tools).data[SHOWN], np.isin(prompts(tools), (1, 2))
    assert marked[ends[0]]
    assert marked[ends[1]]
    assert ((after[marked] == TUMOUR) == (not how)).all()
    assert tools.status.text().startswith(f"Scribble {'outside' if how else 'inside'} tumour: ")
    assert tuple(camera_of(tools).center) == centre, "the image stays where it is"


@pytest.mark.parametrize(
    ("pixels", "modifier", "kind"), [(BOX, SHIFT, "Box"), (LASSO, ALT, "Lasso")]
)
def test_an_area_holds_one_object(
    qtbot: QtBot, tools: ToolsTab, pixels: Any, modifier: Any, kind: str
) -> None:
    mask = mask_of(tools)
    mask.data[SHOWN, 58:62, 70:75] = TUMOUR
    before, zoom = mask.data.copy(), camera_of(tools).zoom
    give(qtbot, tools, *pixels, modifiers=modifier)
    assert_only_tumour(before, mask.data)
    assert dice((mask.data[SHOWN] == TUMOUR) & (COLUMNS < 60)) > 0.95
    assert (mask.data[SHOWN, 58:62, 70:75] == TUMOUR).all(), "what is beyond it stays"
    assert tools.status.text().startswith(f"{kind} around tumour: +")
    assert (prompts(tools) == 1).any()
    assert not prompts(tools)[CENTRE], "a frame"
    assert camera_of(tools).zoom == zoom, "Alt is not for napari's zoom now"


def test_an_area_outside_is_emptied(qtbot: QtBot, tools: ToolsTab) -> None:
    give(qtbot, tools, *BOX, modifiers=SHIFT | CONTROL)
    assert not (mask_of(tools).data[SHOWN] == TUMOUR).any()
    assert_only_tumour(start(), mask_of(tools).data)
    assert tools.status.text().startswith("Box without tumour: −")


def test_a_small_box_is_no_prompt(qtbot: QtBot, tools: ToolsTab) -> None:
    with qtbot.assertNotEmitted(tools.prompts.point.layer.given):
        drag(qtbot, tools, RIM, modifiers=SHIFT)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_prompts_of_a_slice_hold_together(
    qtbot: QtBot, tools: ToolsTab, network: BrightNetwork
) -> None:
    give(qtbot, tools, (24, 30), (36, 30), modifiers=CONTROL)
    first = mask_of(tools).data.copy()
    give(qtbot, tools, RIM)
    inside, outside, _ = network.asked[-1]
    assert outside[30, 30]
    assert inside[RIM]
    drawn = prompts(tools)
    assert (mask_of(tools).data[SHOWN][drawn == 2] != TUMOUR).all(), "the first one still holds"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, first)
    assert set(np.unique(prompts(tools))) == {0, 2, 4}, "the one outside, with its rim"
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, start())
    assert not prompts(tools).any()


def test_a_prompt_goes_with_its_step_whoever_undoes_it(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    give(qtbot, tools, RIM)
    mask.data_setitem(tuple(np.array([i]) for i in (SHOWN, 2, 2)), TUMOUR)
    click_button(tools.point_bar.undo_button)
    assert prompts(tools)[RIM] == 1, "the last stroke of the brush went first"
    click_button(tools.point_bar.undo_button)
    assert not prompts(tools).any()
    mask.data_setitem(tuple(np.array([i]) for i in (SHOWN, 2, 2)), TUMOUR)
    press(tools, Qt.Key.Key_Z, REDO)
    assert not prompts(tools).any(), "it cannot come back"


def test_the_keys_of_the_label_choose_the_category(tools: ToolsTab) -> None:
    mask = mask_of(tools)
    assert mask.selected_label == TUMOUR and len(CATEGORIES) == 2
    for key, label in ((Qt.Key.Key_Equal, 2), (Qt.Key.Key_Equal, 2), (Qt.Key.Key_Minus, 1)):
        press(tools, key, NONE)
        assert mask.selected_label == tools.categories.value() == label
    assert tools.point_bar.button.isChecked()


def test_a_prompt_that_changes_nothing_is_none(qtbot: QtBot, tools: ToolsTab) -> None:
    give(qtbot, tools, (58, 70), modifiers=CONTROL)
    assert tools.status.text() == "Nothing to change in tumour."
    assert not prompts(tools).any()


def test_each_slice_and_category_has_its_own(qtbot: QtBot, tools: ToolsTab) -> None:
    give(qtbot, tools, RIM)
    layer, drawn = tools.viewer.layers["prompts"], prompts(tools).copy()
    tools.viewer.dims.set_point(0, 10.0)
    assert not layer.data.any()
    tools.viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    np.testing.assert_array_equal(prompts(tools), drawn)
    tools.categories.setValue(OEDEMA)
    assert tools.point_bar.button.isChecked(), "Point goes on for the other category"
    assert not prompts(tools).any()
    tools.categories.setValue(TUMOUR)
    np.testing.assert_array_equal(prompts(tools), drawn)
    click_button(tools.clear_button)
    assert not prompts(tools).any()
    assert (mask_of(tools).data[SHOWN] != start()[SHOWN]).any(), "the mask stays"


def test_prompts_are_kept_with_the_session(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    give(qtbot, tools, RIM)
    start_session(qtbot, widget, tmp_path / "s")
    qtbot.waitUntil(lambda: not tools.point_bar.button.isChecked())  # the session has the mask
    click_button(tools.point_bar.button)
    give(qtbot, tools, (24, 30), (36, 30), modifiers=CONTROL)
    press(tools, Qt.Key.Key_Z)
    give(qtbot, tools, *BOX, modifiers=SHIFT)
    drawn = prompts(tools).copy()
    widget.desk.close()
    stored = Session.open(tmp_path / "s").prompts
    assert [(each.kind, each.inside, each.category) for each in stored] == [
        ("click", True, CATEGORIES[0].id),
        ("box", True, CATEGORIES[0].id),
    ]
    assert stored[0].part == (SHOWN,)
    assert stored[0].points == (RIM,)
    tools.prompts.end()
    tools.viewer.layers.clear()
    widget.desk.open(tmp_path / "s")
    qtbot.waitUntil(lambda: widget.session is not None and not widget.desk.busy)
    tools.viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    click_button(tools.point_bar.button)
    np.testing.assert_array_equal(prompts(tools), drawn)


def test_a_prompt_that_is_answered_after_its_slice_was_accepted_counts(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    tools.prompts.end()
    start_session(qtbot, widget, tmp_path / "s")
    # Accepted before the answer can arrive, which takes the event loop.
    tools.prompts.point.layer.given.connect(widget.review.accept)
    click_button(tools.point_bar.button)
    give(qtbot, tools, RIM)
    session = widget.session
    assert session is not None
    qtbot.waitUntil(lambda: Session.open(session.folder).states[SHOWN] is ReviewState.CORRECTED)
    np.testing.assert_array_equal(session.load_mask()[SHOWN], mask_of(tools).data[SHOWN])


def hover(qtbot: QtBot, tools: ToolsTab, pixel: tuple[int, int], modifier: Any = NONE) -> None:
    """Let the pointer rest on a pixel."""
    where = tuple(mask_of(tools).data_to_world((SHOWN, *pixel))[1:])
    move_to(qtbot, tools.viewer, where, modifiers=modifier)


def contour(tools: ToolsTab) -> np.ndarray:
    drawn: np.ndarray = prompts(tools) == 3
    return drawn


def test_the_outline_comes_before_the_click(
    qtbot: QtBot, tools: ToolsTab, network: BrightNetwork
) -> None:
    hover(qtbot, tools, RIM)
    qtbot.waitUntil(lambda: contour(tools).any())
    np.testing.assert_array_equal(mask_of(tools).data, start())
    outline = contour(tools)
    give(qtbot, tools, RIM)
    taken = mask_of(tools).data[SHOWN] == TUMOUR
    assert taken[outline].all()
    assert not contour(tools).any()
    assert len(network.asked) == 1, "the click takes the answer that was shown"


class SlowNetwork(BrightNetwork):
    """Answers when it is let to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def find(self, *question: Any, **options: Any) -> np.ndarray:
        found = super().find(*question, **options)
        assert self.go_on.wait(20)
        return found


@pytest.fixture
def slow(network: BrightNetwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNetwork]:
    slow = SlowNetwork()
    monkeypatch.setattr(network, "find", slow.find)
    yield slow
    slow.go_on.set()


def test_a_click_takes_what_the_pointer_is_asking(
    qtbot: QtBot, tools: ToolsTab, slow: SlowNetwork
) -> None:
    hover(qtbot, tools, RIM)
    qtbot.waitUntil(lambda: len(slow.asked) == 1)
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, RIM)
        slow.go_on.set()
    assert dice(mask_of(tools).data[SHOWN] == TUMOUR) > 0.95
    assert len(slow.asked) == 1
    assert not contour(tools).any()
    assert prompts(tools)[RIM] == 1


def test_a_press_asks_before_the_button_is_up(
    qtbot: QtBot, tools: ToolsTab, slow: SlowNetwork
) -> None:
    viewer, left = tools.viewer, Qt.MouseButton.LeftButton
    where = tuple(mask_of(tools).data_to_world((SHOWN, *RIM))[1:])
    click_button(tools.point_bar.preview)
    move_to(qtbot, viewer, where)
    ends = (canvas_of(viewer), canvas_position(viewer, *where))
    send(ends[0], QEvent.Type.MouseButtonPress, ends[1], left, left)
    qtbot.waitUntil(lambda: len(slow.asked) == 1)
    qtbot.waitUntil(lambda: prompts(tools)[RIM] == 1)  # an answer takes long
    slow.go_on.set()
    with qtbot.waitSignal(tools.prompts.solved):
        send(ends[0], QEvent.Type.MouseButtonRelease, ends[1], left, Qt.MouseButton.NoButton)
    assert dice(mask_of(tools).data[SHOWN] == TUMOUR) > 0.95
    assert len(slow.asked) == 1
    assert not contour(tools).any(), "nobody wants outlines"


def test_with_ctrl_it_is_what_would_be_left(qtbot: QtBot, tools: ToolsTab) -> None:
    hover(qtbot, tools, SIDE, CONTROL)
    qtbot.waitUntil(lambda: contour(tools).any())
    assert not contour(tools)[SIDE]
    assert (mask_of(tools).data[SHOWN][contour(tools)] == TUMOUR).all()


def test_no_outline_beyond_the_image_or_when_it_is_off(
    qtbot: QtBot, tools: ToolsTab, network: BrightNetwork
) -> None:
    hover(qtbot, tools, RIM)
    qtbot.waitUntil(lambda: contour(tools).any())
    hover(qtbot, tools, (SHAPE[1] + 3, 30))
    assert not contour(tools).any()
    hover(qtbot, tools, RIM)
    qtbot.waitUntil(lambda: contour(tools).any())
    click_button(tools.point_bar.preview)
    assert not contour(tools).any(), "before the pointer moves"
    asked = len(network.asked)
    hover(qtbot, tools, SIDE)
    assert len(network.asked) == asked
    assert not contour(tools).any()


def test_slow_outlines_end_by_themselves_and_say_so(
    qtbot: QtBot, tools: ToolsTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "TOO_SLOW", 0.0)
    steps = iter(range(1000))

    def is_off() -> bool:
        hover(qtbot, tools, (30, 28 + next(steps) % 2 * 8))
        return not tools.point_bar.preview.isChecked()

    qtbot.waitUntil(is_off)
    assert tools.status.text().startswith("Preview is off, as a prompt takes ")
    assert not contour(tools).any()
    tools.point_bar.preview.setChecked(True)
    for _ in range(8):
        hover(qtbot, tools, (30, 28 + next(steps) % 2 * 8))
        qtbot.waitUntil(lambda: contour(tools).any())
    assert tools.point_bar.preview.isChecked(), "who wants it has it"


def test_locked_and_unreviewed_pixels_stay(qtbot: QtBot, tools: ToolsTab) -> None:
    tools.categories.setValue(OEDEMA)
    click_lock(tools.categories)
    tools.categories.setValue(TUMOUR)
    give(qtbot, tools, (18, 30), (46, 40))
    assert_only_tumour(start(), mask_of(tools).data)
    assert (mask_of(tools).data[SHOWN, 44:46] == TUMOUR).any(), "beyond the strip it was taken"


def test_a_category_that_is_locked_meanwhile_takes_no_prompt(qtbot: QtBot, tools: ToolsTab) -> None:
    click_lock(tools.categories)
    drag(qtbot, tools, RIM)
    assert tools.status.text() == "tumour is locked; unlock it to change it."
    assert not prompts(tools).any()
    np.testing.assert_array_equal(mask_of(tools).data, start())
    click_lock(tools.categories)
    give(qtbot, tools, RIM)
    assert dice(mask_of(tools).data[SHOWN] == TUMOUR) > 0.95


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_a_mask_of_one_category_and_one_slice(qtbot: QtBot, tools: ToolsTab, colour: bool) -> None:
    viewer = tools.viewer
    tools.prompts.end()
    viewer.layers.clear()
    photo = np.zeros((*SHAPE[1:], 3) if colour else SHAPE[1:], np.uint8)
    photo[disc()] = 200
    viewer.add_image(photo, name="photo", rgb=colour)
    mask = add_mask(viewer, disc(8).astype(np.uint8), "photo mask", CATEGORIES[:1])
    click_button(tools.point_bar.button)
    with qtbot.waitSignal(tools.prompts.solved):
        drag_along(qtbot, viewer, [RIM])
    np.testing.assert_array_equal(mask.data == TUMOUR, disc())
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, disc(8))


def test_point_stays_on_when_its_window_is_shown(qtbot: QtBot, widget: ReviewWidget) -> None:
    widget.tools.prompts.choose("point")
    widget.window().show()
    qtbot.waitExposed(widget.window())
    qtbot.waitUntil(widget.tools.isVisible)
    assert widget.tools.point_bar.button.isChecked()


def test_the_key_of_the_brush_goes_on_with_the_brush(qtbot: QtBot, tools: ToolsTab) -> None:
    press(tools, Qt.Key.Key_2, NONE)
    assert not tools.point_bar.button.isChecked()
    assert tools.viewer.layers.selection.active == mask_of(tools)
    assert mask_of(tools).mode == "paint"
    press(tools, Qt.Key.Key_P, NONE)
    assert tools.point_bar.button.isChecked(), "P is Point's, not the brush's"
