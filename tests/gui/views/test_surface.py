"""The mask as a surface beside the slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget
from scene import add_mask

from napari_unet_seg._napari.views.bar import ViewBar
from napari_unet_seg._napari.views.surfaces import surfaces_of
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

SHAPE, SPACING = (20, 24, 28), (2.0, 1.0, 0.5)


def volume() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:15, 6:18, 4:20] = 1
    labels[0:3, 0:4, 22:28] = 2
    labels[18:, 20:, :3] = IGNORE_INDEX
    return labels


def test_surfaces_have_the_size_and_the_place_of_their_labels() -> None:
    first, second = surfaces_of(volume(), SPACING)
    assert (first.value, second.value) == (1, 2)
    assert first.volume == 10 * 12 * 16
    # From the border of the first voxel to that of the last, half a voxel beyond their centres.
    np.testing.assert_allclose(
        first.vertices.min(0), np.multiply((4.5, 5.5, 3.5), SPACING), atol=0.2
    )
    np.testing.assert_allclose(
        first.vertices.max(0), np.multiply((14.5, 17.5, 19.5), SPACING), atol=0.2
    )
    # A category at the border of the volume is closed too: every edge belongs to two triangles.
    edges = np.sort(second.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}


def test_one_voxel_has_a_surface() -> None:
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[2, 2, 2] = 1
    ((_, vertices, faces, _),) = surfaces_of(labels, (1.0, 1.0, 1.0))
    assert len(vertices) and len(faces)


@pytest.fixture
def bar(qtbot: QtBot, dock: Callable[[type], Any]) -> ViewBar:
    bar: ViewBar = dock(ViewBar)
    bar.window().show()
    qtbot.waitExposed(bar.window())
    return bar


def test_the_surface_is_drawn_and_follows_on_demand(qtbot: QtBot, bar: ViewBar) -> None:
    viewer = bar._viewer
    mask = add_mask(viewer, volume(), scale=SPACING, units=("mm",) * 3)
    QTest.mouseClick(bar.surface, Qt.MouseButton.LeftButton)
    panel = bar._panel
    qtbot.waitUntil(lambda: panel.status.text() == "tumour 1.92 ml · oedema 0.07 ml")
    qtbot.waitUntil(lambda: panel._job is None)
    assert panel.button.text() == "Update"
    mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 1)
    assert panel.button.text() == "Update (edited)"
    mask.data[mask.data == 2] = 0
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.status.text() == "tumour 1.92 ml")
    qtbot.waitUntil(lambda: panel._job is None)
    QTest.mouseClick(bar.surface, Qt.MouseButton.LeftButton)
    assert bar._panel is panel  # no second copy
    qtbot.waitUntil(lambda: panel._job is None)


@pytest.mark.parametrize("way", ["hide_button", "close_button", "float_button"])
def test_the_dock_keeps_its_width_when_the_panel_goes(qtbot: QtBot, bar: ViewBar, way: str) -> None:
    window = bar.window()
    window.resize(1366, 768)
    docked = ancestor(bar, QDockWidget)
    docked.setMinimumWidth(0)
    window.resizeDocks([docked], [400], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: docked.width() == 400)
    canvas = window.centralWidget().width()
    bar.show_surface()
    panel = ancestor(bar._panel, QDockWidget)
    qtbot.waitUntil(lambda: window.centralWidget().width() < canvas - 200)
    width = docked.width()
    getattr(panel.titleBarWidget(), way).click()
    qtbot.waitUntil(lambda: window.centralWidget().width() > canvas - 10)
    assert docked.width() == width <= 400
    bar.show_surface()
    qtbot.waitUntil(bar._panel.isVisible)


def test_without_a_mask_it_says_what_to_do(bar: ViewBar) -> None:
    bar.show_surface()
    assert bar._panel.status.text().startswith("No mask of a volume is on screen")
