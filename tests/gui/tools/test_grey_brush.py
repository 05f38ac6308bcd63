"""The brush that paints only where the image is as bright as under its first press."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from disc_scene import (
    COLUMNS,
    OEDEMA,
    SHOWN,
    TUMOUR,
    click_button,
    disc,
    drag,
    mask_of,
    press,
    show_discs,
    start,
)
from qtpy.QtCore import Qt

from napari_unet_seg._napari.review.widget import ReviewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab


@pytest.fixture
def tools(qtbot: QtBot, dock: Callable[[type], Any]) -> ToolsTab:
    """The tools in a window on screen, with the brush of the mask."""
    widget: ReviewWidget = dock(ReviewWidget)
    show_discs(widget)
    widget.window().show()
    qtbot.waitExposed(widget.window())
    mask = mask_of(widget.tools)
    mask.mode, mask.brush_size, mask.selected_label = "paint", 5, TUMOUR
    return widget.tools


def stroke(qtbot: QtBot, tools: ToolsTab, *pixels: tuple[float, float]) -> np.ndarray:
    """Paint, and return where the category is new."""
    drag(qtbot, tools, *pixels)
    qtbot.waitUntil(lambda: not tools._grey_brush._timer.isActive())
    new: np.ndarray = (mask_of(tools).data[SHOWN] == TUMOUR) & (start()[SHOWN] != TUMOUR)
    return new


def test_a_stroke_stays_within_the_greys_of_its_first_press(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.grey_brush)
    painted = stroke(qtbot, tools, (36, 44), (36, 60))
    assert painted.any()
    assert not (painted & ~disc()).any(), "nothing beyond the bright disc"
    np.testing.assert_array_equal(mask_of(tools).data[SHOWN] == OEDEMA, start()[SHOWN] == OEDEMA)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_a_press_on_the_dark_paints_the_dark(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.grey_brush)
    painted = stroke(qtbot, tools, (36, 60), (36, 44))
    assert painted.any()
    assert not (painted & disc()).any()


def test_other_strokes_are_as_usual(qtbot: QtBot, tools: ToolsTab) -> None:
    painted = stroke(qtbot, tools, (36, 44), (36, 60))
    assert painted[36, 44:61].all(), "it is off at first"
    click_button(tools.grey_brush)
    mask_of(tools).mode = "erase"
    drag(qtbot, tools, (36, 44), (36, 60))
    erased = mask_of(tools).data[SHOWN]
    assert not ((erased == TUMOUR) & (COLUMNS > 44) & (COLUMNS < 60)).any(), "nor the eraser"
