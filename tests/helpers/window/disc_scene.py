"""A bright disc in every slice, a mask of it that is too small, and a network that sees it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from mouse import canvas_of, drag_along
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from scene import PLACE, add_mask
from scipy.ndimage import label

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.process.warm_engine import scan_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget
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


class BrightNetwork:
    """Finds the bright parts that a prompt inside or a box marks; outside it cuts discs off."""

    warming = False

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []
        """The maps of all questions."""
        self.seen: list[list[float]] = []
        """The mean grey of each sequence that a question was about."""
        self.models: list[Path] = []
        """The checkpoint that each question asked."""

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        pass

    def find(
        self,
        model: Path,
        scan: Any,
        place: Any,
        prompts: np.ndarray,
        previous: np.ndarray,
        others: Sequence[Any] = (),
    ) -> np.ndarray:
        self.asked.append(prompts)
        self.models.append(model)
        self.seen.append([float(each.data.mean()) for each in (scan, *others)])
        return self.answer(np.asarray(scan_part(scan, place).data), prompts, previous)

    def answer(self, plane: np.ndarray, prompts: np.ndarray, previous: np.ndarray) -> np.ndarray:
        """Return the mask of a question about a slice, by its three maps and the mask before."""
        inside, outside, area = prompts
        parts, _ = label((plane.mean(-1) if plane.ndim == 3 else plane) > 110)
        found = np.isin(parts, np.unique(parts[(inside | area) & (parts > 0)])) | previous
        for row, column in np.argwhere(outside):
            y, x = np.indices(found.shape)
            found &= np.hypot(y - row, x - column) > 6
        return found


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


def show_discs(widget: ReviewWidget) -> None:
    """Add the image and the mask, and put the tools in front."""
    viewer = widget.viewer
    noise = np.random.default_rng(1).normal(0, 4, SHAPE)
    viewer.add_image(60 + 100.0 * disc() + noise, name="head", **PLACE)
    add_mask(viewer, start(), **PLACE)
    viewer.dims.set_point(0, 10.0 + 3 * SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    widget.tools.more.expand(animate=False)


def mask_of(tools: ToolsTab) -> Any:
    return tools.viewer.layers["head mask"]


def click_button(button: Any) -> None:
    # At its left end, where a checkbox has what is pressed.
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))


def press(tools: ToolsTab, key: Any, modifier: Any = CONTROL) -> None:
    """Press a key over napari's canvas."""
    QTest.keyClick(canvas_of(tools.viewer), key, modifier)


def drag(
    qtbot: QtBot,
    tools: ToolsTab,
    *pixels: tuple[float, float],
    button: Any = Qt.MouseButton.LeftButton,
    modifiers: Any = NONE,
) -> None:
    """Press the mouse over a pixel of the slice, drag it over others, and release it."""
    ends = [mask_of(tools).data_to_world((SHOWN, *pixel))[1:] for pixel in pixels]
    points = [tuple(p) for pair in pairwise(ends) for p in np.linspace(*pair, 6)]
    drag_along(qtbot, tools.viewer, points or ends, button, modifiers)


def helpers(tools: ToolsTab) -> list[str]:
    """Names of the layers that are not the user's."""
    return [x.name for x in tools.viewer.layers if not is_user_layer(x, type(x))]


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
