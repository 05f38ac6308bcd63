"""Prompts on a case of two sequences; a network of the test notes what it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from disc_scene import (
    SHAPE,
    SHOWN,
    BrightNetwork,
    click_button,
    disc,
    drag,
    mask_of,
    press,
    start,
)
from mouse import move_to
from qtpy.QtCore import Qt
from scene import add_mask

from napari_unet_seg._napari.layers.images.channels import image_layers, show_channel
from napari_unet_seg._napari.layers.images.owner import record_image
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets.settings import recall
from napari_unet_seg.io.common.channels import NAMES
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

FLAIR, T1C = "head · FLAIR", "head · T1c"
RIM, OTHER_RIM = (30, 47), (30, 23)
"""Pixels of the disc that the mask lacks."""


class SeeingNetwork(BrightNetwork):
    """Carries nowhere, but notes what it was to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.carried_on: list[float] = []

    def carry(self, _: Any, scan: Any, *rest: Any) -> Iterator[Any]:
        self.carried_on = [float(each.data.mean()) for each in (scan, *rest[-1])]
        yield from ()


@pytest.fixture
def network_kind() -> type[SeeingNetwork]:
    return SeeingNetwork


@pytest.fixture
def tools(qtbot: QtBot, network: SeeingNetwork, dock: Callable[[type], Any]) -> ToolsTab:
    """The tools in a window, with Point on: FLAIR is on screen, and T1c hidden below."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    data = np.stack([60 + 100.0 * np.broadcast_to(disc(), SHAPE)] * 2, -1) + np.array([0, 5])
    scan = Scan(data, "ZYXC", meta={NAMES: ("FLAIR", "T1c")})
    for pixels, options, _ in image_layers(scan, "head"):
        viewer.add_image(pixels, **options)
    labels = np.zeros_like(start())
    labels[SHOWN] = start()[SHOWN]  # the slices beside it are free for Carry
    record_image(add_mask(viewer, labels), viewer.layers[FLAIR])
    viewer.dims.set_point(0, SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    widget.window().show()
    qtbot.waitExposed(widget.window())
    click_button(widget.tools.point_bar.button)
    return widget.tools


def grey(tools: ToolsTab, name: str) -> float:
    return float(tools.viewer.layers[name].data.mean())


def give(qtbot: QtBot, tools: ToolsTab, pixel: tuple[int, int]) -> None:
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, pixel)


def test_prompts_look_at_the_sequence_on_screen(
    qtbot: QtBot, tools: ToolsTab, network: SeeingNetwork
) -> None:
    give(qtbot, tools, RIM)
    assert network.seen[-1] == [grey(tools, FLAIR)]
    show_channel(tools.viewer, tools.viewer.layers[T1C])
    give(qtbot, tools, OTHER_RIM)
    assert network.seen[-1] == [grey(tools, T1C)]


def test_with_look_at_all_they_and_their_preview_and_carry_look_at_both(
    qtbot: QtBot, tools: ToolsTab, network: SeeingNetwork
) -> None:
    bar = tools.point_bar
    both = [grey(tools, FLAIR), grey(tools, T1C)]
    click_button(bar.all_sequences)
    with qtbot.waitSignal(tools.prompts.point.preview.answered):
        move_to(qtbot, tools.viewer, tuple(mask_of(tools).data_to_world((SHOWN, *RIM))[1:]))
    assert network.seen[-1] == both
    give(qtbot, tools, RIM)
    assert network.seen[-1] == both
    press(tools, Qt.Key.Key_C, Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: network.carried_on == both)
    qtbot.waitUntil(lambda: not tools.busy)
    assert recall("tools/all_sequences", False), "for the next time"


def test_the_switch_is_shown_where_there_are_several(tools: ToolsTab) -> None:
    bar = tools.point_bar
    assert bar.all_sequences.isVisible()
    tools.viewer.add_image(np.zeros((2, 3)), name="of another case")
    tools.viewer.layers.remove(T1C)
    assert not bar.all_sequences.isVisible()
