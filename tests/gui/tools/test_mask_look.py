"""How the mask is drawn is set in the tools, also while Point has a layer of its own selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from disc_scene import NONE, click_button, mask_of, press
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from napari_unet_seg._napari.tools.tab import ToolsTab

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def pointing(tools: ToolsTab) -> ToolsTab:
    """The tools in a window on screen, with Point on, whose layer napari's controls change."""
    click_button(tools.point_bar.button)
    assert tools.viewer.layers.selection.active.name == "prompts"
    return tools


def test_the_slider_sets_the_opacity_of_the_mask(pointing: ToolsTab) -> None:
    prompts = pointing.viewer.layers["prompts"]
    before = prompts.opacity
    pointing.look.opacity.setValue(30)
    assert mask_of(pointing).opacity == pytest.approx(0.3)
    assert prompts.opacity == before


def test_the_slider_follows_naparis_control(pointing: ToolsTab) -> None:
    mask_of(pointing).opacity = 0.55
    assert pointing.look.opacity.value() == 55
    mask_of(pointing).contour = 3
    assert pointing.look.outline.isChecked()


def test_keys_make_the_mask_fainter_and_stronger(pointing: ToolsTab) -> None:
    mask = mask_of(pointing)
    mask.opacity = 0.5
    press(pointing, Qt.Key.Key_Comma, NONE)
    assert mask.opacity == pytest.approx(0.4)
    for _ in range(9):
        press(pointing, Qt.Key.Key_Period, NONE)
    assert mask.opacity == 1
    pointing.hide()
    press(pointing, Qt.Key.Key_Comma, NONE)
    assert mask.opacity == 1, "the tools are not in front"


def test_the_outline_keeps_the_width_that_napari_was_given(pointing: ToolsTab) -> None:
    mask = mask_of(pointing)
    press(pointing, Qt.Key.Key_H, SHIFT)
    assert mask.contour == 1
    mask.contour = 3
    click_button(pointing.look.outline)
    assert mask.contour == 0
    click_button(pointing.look.outline)
    assert mask.contour == 3


def test_without_a_mask_there_is_nothing_to_set(tools: ToolsTab) -> None:
    mask = mask_of(tools)
    tools.viewer.layers.remove(mask)
    assert not tools.look.isEnabled()
    assert tools.look.opacity.value() == round(100 * mask.opacity)
    tools.look.opacity.setValue(10)
    assert mask.opacity != pytest.approx(0.1)
