"""The hint to draw a box: after two clicks on one object that each took little of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from disc_scene import BOX, CENTRE, SHOWN, BrightNetwork, click_button, drag, mask_of
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    import numpy as np
    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget
    from napari_unet_seg._napari.tools.tab import ToolsTab

SHIFT = Qt.KeyboardModifier.ShiftModifier
FIRST, SECOND, FAR = (30, 30), (30, 38), (58, 70)
"""Two places in the disc, and one away from it."""


class DarkCoreNetwork(BrightNetwork):
    """Finds no more than what a click covers, as in a core that is as dark as what is around."""

    def answer(self, plane: np.ndarray, prompts: np.ndarray, previous: np.ndarray) -> np.ndarray:
        inside, _, area = prompts
        return inside | previous | area


@pytest.fixture
def network_kind() -> type[BrightNetwork]:
    return DarkCoreNetwork


@pytest.fixture
def tools(tools: ToolsTab) -> ToolsTab:
    """The tools with Point on, and an empty slice."""
    mask_of(tools).data[:] = 0
    click_button(tools.point_bar.button)
    return tools


def give(qtbot: QtBot, tools: ToolsTab, *pixels: tuple[int, int], **how: Any) -> None:
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, *pixels, **how)


def is_hinted(tools: ToolsTab) -> bool:
    return not tools.point_bar.hint.isHidden()


def test_two_clicks_on_one_object_that_take_little(qtbot: QtBot, tools: ToolsTab) -> None:
    give(qtbot, tools, FIRST)
    assert not is_hinted(tools), "one is no reason"
    give(qtbot, tools, SECOND)
    assert is_hinted(tools)
    assert tools.point_bar.hint.text() == "Shift and drag a box around it to take all of it"
    click_button(tools.point_bar.button)
    assert not is_hinted(tools), "Point has ended"
    click_button(tools.point_bar.button)
    give(qtbot, tools, (24, 34))
    give(qtbot, tools, (36, 34))
    assert not is_hinted(tools), "once a mask"


@pytest.mark.parametrize("between", [FAR, "other slice"])
def test_clicks_on_two_objects_are_no_reason(qtbot: QtBot, tools: ToolsTab, between: Any) -> None:
    give(qtbot, tools, FIRST)
    if between == "other slice":
        tools.viewer.dims.set_point(0, 10.0 + 3 * (SHOWN + 1))
    give(qtbot, tools, SECOND if between == "other slice" else FAR)
    assert not is_hinted(tools)


def test_a_click_that_takes_much_is_no_reason(
    qtbot: QtBot, tools: ToolsTab, monkeypatch: pytest.MonkeyPatch, network: BrightNetwork
) -> None:
    monkeypatch.setattr(network, "find", BrightNetwork().find)
    give(qtbot, tools, CENTRE)
    monkeypatch.undo()
    give(qtbot, tools, (30, 51))
    assert not is_hinted(tools)


def test_who_has_drawn_a_box_needs_no_hint(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab
) -> None:
    give(qtbot, tools, FIRST)
    give(qtbot, tools, SECOND)
    give(qtbot, tools, *BOX, modifiers=SHIFT)
    assert not is_hinted(tools)
    mask_of(tools).data[:] = 0
    tools.prompts.point.hint._hinted.clear()
    give(qtbot, tools, FIRST)
    give(qtbot, tools, SECOND)
    assert not is_hinted(tools), "that is remembered"
