"""The tools in a window, with a network of the test behind Point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from disc_scene import BrightNetwork, show_discs

from napari_unet_seg._napari.review.widget import ReviewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab


@pytest.fixture
def network_kind() -> type[BrightNetwork]:
    """The class of the network, which a module may replace."""
    return BrightNetwork


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, network_kind: type[BrightNetwork]) -> BrightNetwork:
    """The network that takes the place of the prompt network."""
    network = network_kind()
    where = "napari_unet_seg._napari.tools.point.tool.PromptNetwork"
    monkeypatch.setattr(where, lambda: network)
    return network


@pytest.fixture
def widget(network: BrightNetwork, dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a bright disc in every slice, its mask, and the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    show_discs(widget)
    return widget


@pytest.fixture
def tools(qtbot: QtBot, widget: ReviewWidget) -> ToolsTab:
    """The tools in a window on screen."""
    widget.window().show()
    qtbot.waitExposed(widget.window())
    return widget.tools
