"""A prompt over pixels of another category: one rule for the brush and for Point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock
from disc_scene import (
    BOX,
    CENTRE,
    NONE,
    OEDEMA,
    SHOWN,
    TUMOUR,
    click_button,
    disc,
    drag,
    helpers,
    mask_of,
    press,
)
from qtpy.QtCore import Qt

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

SHIFT = Qt.KeyboardModifier.ShiftModifier
INSIDE = (30, 35)
NOTHING = "Nothing to change in tumour: "


@pytest.fixture
def tools(tools: ToolsTab) -> ToolsTab:
    """The tools with tumour chosen, and the disc taken by oedema."""
    mask = mask_of(tools)
    mask.data[SHOWN] = np.where(disc(), OEDEMA, 0)
    mask.refresh()
    return tools


def brush(qtbot: QtBot, tools: ToolsTab) -> Any:
    """Paint tumour on the middle of the disc with napari's brush; return the slice."""
    mask = mask_of(tools)
    mask.mode, mask.brush_size, mask.selected_label = "paint", 5, TUMOUR
    drag(qtbot, tools, INSIDE, (30, 36))
    qtbot.wait(50)  # locked pixels are restored when the event loop is idle
    return mask.data[SHOWN]


def point(qtbot: QtBot, tools: ToolsTab) -> Any:
    """Click on the middle of the disc with Point; return the slice."""
    click_button(tools.point_bar.button)
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, INSIDE)
    return mask_of(tools).data[SHOWN]


@pytest.mark.parametrize("draw", [brush, point])
@pytest.mark.parametrize("kept_by", ["", "lock", "preserve labels"])
def test_brush_and_point_have_one_rule(
    qtbot: QtBot, tools: ToolsTab, draw: Any, kept_by: str
) -> None:
    if kept_by == "lock":
        tools.categories.setValue(OEDEMA)
        click_lock(tools.categories)
    elif kept_by:
        mask_of(tools).preserve_labels = True
    tools.categories.setValue(TUMOUR)
    after = draw(qtbot, tools)
    assert (after[INSIDE] == OEDEMA) == bool(kept_by)
    assert (after[disc()] == OEDEMA).all() == bool(kept_by)


def test_what_a_click_takes_of_others_is_told_and_undone(qtbot: QtBot, tools: ToolsTab) -> None:
    before = mask_of(tools).data.copy()
    after = point(qtbot, tools)
    assert (after[disc()] == TUMOUR).all()
    assert tools.status.text().startswith("Click inside tumour, over oedema: +")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, before)


def test_what_the_answer_only_touches_stays(qtbot: QtBot, tools: ToolsTab) -> None:
    mask_of(tools).data[SHOWN, :, 30:] = 0
    after = point(qtbot, tools)
    assert (after[disc()][:] != 0).all()
    left = disc()[:, :30]
    assert (after[:, :30][left] == OEDEMA).all()
    assert (after[:, 30:][disc()[:, 30:]] == TUMOUR).all()
    assert tools.status.text().startswith("Click inside tumour: +")


def test_a_click_takes_unreviewed_pixels_as_the_brush_does(qtbot: QtBot, tools: ToolsTab) -> None:
    mask_of(tools).data[SHOWN][disc()] = IGNORE_INDEX
    after = point(qtbot, tools)
    assert (after[disc()] == TUMOUR).all()
    assert tools.status.text().startswith("Click inside tumour, over unreviewed: +")


def test_where_a_lock_keeps_all_the_way_out_is_told(qtbot: QtBot, tools: ToolsTab) -> None:
    tools.categories.setValue(OEDEMA)
    click_lock(tools.categories)
    tools.categories.setValue(TUMOUR)
    point(qtbot, tools)
    assert tools.status.text() == f"{NOTHING}oedema is locked there; unlock it, or choose it."
    assert helpers(tools) == ["prompts"]
    tools.categories.setValue(OEDEMA)
    click_lock(tools.categories)
    tools.categories.setValue(TUMOUR)
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, INSIDE)
    assert (mask_of(tools).data[SHOWN][disc()] == TUMOUR).all()


def test_naparis_preserve_labels_is_that_of_the_mask(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    mask.preserve_labels = True
    point(qtbot, tools)
    assert (
        tools.status.text()
        == f"{NOTHING}napari's preserve labels keeps oedema; key B turns it off."
    )
    assert tools.viewer.layers["prompts"].preserve_labels
    press(tools, Qt.Key.Key_B, NONE)
    assert not mask.preserve_labels
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, INSIDE)
    assert (mask.data[SHOWN][disc()] == TUMOUR).all()


def test_a_box_leaves_others_and_says_so(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.point_bar.button)
    before = mask_of(tools).data.copy()
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, *BOX, modifiers=SHIFT)
    np.testing.assert_array_equal(mask_of(tools).data, before)
    why = "oedema is there, and a box leaves it; click on it to take it."
    assert tools.status.text() == NOTHING + why
    assert mask_of(tools).data[(SHOWN, *CENTRE)] == OEDEMA
