from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari._layers import METADATA_KEY
from napari_unet_seg._napari.review import ReviewWidget
from napari_unet_seg.config import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari._tools import Tools

CATEGORIES = (Category(id=7, name="tumour"), Category(id=9, name="oedema"))
TUMOUR, OEDEMA = 1, 2
SHAPE = (7, 40, 50)
SHOWN = 3
PLACE = {"scale": (3, 0.5, 0.5), "translate": (10, -5, 2), "units": ("mm", "mm", "mm")}


def rods() -> np.ndarray:
    """Make a tumour with a hole, a speck and a bump, and oedema, in each slice but one."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 10:20, 10:20] = TUMOUR
    labels[:, 14:16, 14:16] = 0
    labels[:, 9, 15] = TUMOUR
    labels[:, 30, 40] = TUMOUR
    labels[:, 10:20, 21:25] = OEDEMA
    labels[4] = 0
    return labels


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a mask of two categories, at its fourth slice, the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget._viewer
    viewer.add_image(np.ones(SHAPE, np.uint8), name="head", **PLACE)
    known = {METADATA_KEY: {"categories": CATEGORIES}}
    viewer.add_labels(rods(), name="head mask", metadata=known, **PLACE)
    viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    return widget


@pytest.fixture
def tools(widget: ReviewWidget) -> Tools:
    return widget.tools


def mask_of(tools: Tools) -> Any:
    return tools._viewer.layers["head mask"]


def click(button: Any) -> None:
    # At its left end, where a radio button and a checkbox have what is pressed.
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))


def press(tools: Tools, key: Any, modifier: Any = Qt.KeyboardModifier.ControlModifier) -> None:
    """Press a key over napari's canvas."""
    canvas = tools._viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, key, modifier)


def finish(qtbot: QtBot, tools: Tools) -> None:
    qtbot.waitUntil(lambda: tools._job is None, timeout=20_000)


def changed(before: np.ndarray, after: np.ndarray) -> list[int]:
    """Slices that differ."""
    return np.flatnonzero((before != after).any((1, 2))).tolist()


CLICKS = {
    "grow": ("Grew tumour: +", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "shrink": ("Shrank tumour: −", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "smooth": ("Smoothed tumour: ", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "fill_holes": ("Filled holes of tumour: +4 px in 1 slice.", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "close_gaps": ("Closed gaps of tumour: +", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "keep_largest": ("Kept the largest part of tumour: −1 px in 1", [SHOWN], [0, 1, 2, 3, 5, 6]),
    "remove_small": ("Removed small parts of tumour: −1 px in 1", [SHOWN], [5, 6]),
    "copy_next": ("Copied tumour: +98 px in 1 slice.", [4], [4]),
}


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "volume"])
@pytest.mark.parametrize("name", CLICKS)
def test_a_click_changes_the_slice_or_all_and_one_undo_takes_it_back(
    qtbot: QtBot, tools: Tools, name: str, whole: bool
) -> None:
    mask, before = mask_of(tools), rods()
    said, in_slice, in_volume = CLICKS[name]
    tools._viewer.layers.selection.active = tools._viewer.layers["head"]
    click(tools.volume_button if whole else tools.slice_button)
    assert tools.whole() is whole
    click(tools.buttons[name])
    finish(qtbot, tools)
    after = mask.data.copy()
    assert changed(before, after) == (in_volume if whole else in_slice)
    assert not ((before == OEDEMA) ^ (after == OEDEMA)).any()
    if not whole:
        assert tools.status.text().startswith(said)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    press(
        tools, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    np.testing.assert_array_equal(mask.data, after)
    press(tools, Qt.Key.Key_Z)
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
