"""Another network for Point, chosen while Point is on; a network of the test answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from disc_scene import SHOWN, BrightNetwork, click_button, drag, mask_of
from mouse import move_to
from qtpy.QtWidgets import QFileDialog

from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg._napari.tools.point.question import answered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

RIM = (30, 47)
"""A pixel of the disc that the mask lacks."""


class CountingNetwork(BrightNetwork):
    """Counts how often it was to be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = 0

    def warm_up(self) -> None:
        self.loaded += 1


@pytest.fixture
def network_kind() -> type[BrightNetwork]:
    return CountingNetwork


def has_contour(tools: ToolsTab) -> bool:
    return bool((tools.viewer.layers["prompts"].data[SHOWN] == 3).any())


def browse_to(tools: ToolsTab, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose a file by Browse … below Point."""
    combo = tools.point_bar.network
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    last = combo.count() - 1
    assert combo.itemText(last) == "Browse …"
    combo.setCurrentIndex(last)
    combo.activated.emit(last)


def test_the_next_click_asks_the_network_that_is_chosen(
    qtbot: QtBot,
    tools: ToolsTab,
    network: CountingNetwork,
    make_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    combo, chosen = tools.point_bar.network, make_checkpoint(prompts=True)
    assert combo.shown_text() == "Prompt network"
    click_button(tools.point_bar.button)
    qtbot.wait(50)  # napari's controls of the layer are wider, and the canvas is narrower
    where = tuple(mask_of(tools).data_to_world((SHOWN, *RIM))[1:])
    move_to(qtbot, tools.viewer, where)
    qtbot.waitUntil(lambda: has_contour(tools))
    browse_to(tools, chosen, monkeypatch)
    assert POINT.current() == chosen
    assert combo.full_text().startswith(chosen.stem)
    assert network.loaded == 2, "once for each"
    assert not has_contour(tools), "it is the other network's"
    asked = len(network.asked)
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, RIM)
    assert len(network.asked) == asked + 1, "the answer that was shown is forgotten"


def test_a_question_asks_the_network_that_was_chosen_when_it_was_made(
    qtbot: QtBot,
    tools: ToolsTab,
    network: CountingNetwork,
    make_checkpoint: Callable[..., Path],
) -> None:
    before, preview = POINT.current(), tools.prompts.point.preview
    click_button(tools.point_bar.button)
    qtbot.wait(50)  # napari's controls of the layer are wider, and the canvas is narrower
    where = tuple(mask_of(tools).data_to_world((SHOWN, *RIM))[1:])
    with qtbot.waitSignal(preview.answered):
        move_to(qtbot, tools.viewer, where)
    events = answered(preview.answer.question, network)  # as for a thread
    POINT.choose(make_checkpoint(prompts=True))
    next(events)
    assert network.models == [before, before]


def test_a_model_without_prompts_is_refused(
    tools: ToolsTab,
    network: CountingNetwork,
    make_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    notifications: list[str],
) -> None:
    before, chosen = POINT.current(), make_checkpoint()
    browse_to(tools, chosen, monkeypatch)
    assert notifications == [
        f"The model {chosen} takes no prompts; choose a network that was trained with prompts."
    ]
    assert POINT.current() == before
    assert tools.point_bar.network.shown_text() == "Prompt network"
    assert not network.loaded
