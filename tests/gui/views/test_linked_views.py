"""Linked views, by the plugin napari-orthogonal-views where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mouse import canvas_of
from napari.layers import Labels
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES

from napari_unet_seg._napari.layers.conversion import grid_of, labels_options
from napari_unet_seg._napari.layers.geometry import placement_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.layers.locks import LockGuard, set_locked
from napari_unet_seg._napari.views.bar import ViewBar
from napari_unet_seg._napari.views.planes import edge_letters
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

INSTALLED = find_spec("napari_orthogonal_views") is not None
SHAPE = (20, 24, 28)


@pytest.fixture
def bar(qtbot: QtBot, dock: Callable[[type], Any]) -> ViewBar:
    """The bar over a mask of a volume whose orientation is known."""
    bar: ViewBar = dock(ViewBar)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    scan = Scan(np.zeros(SHAPE, np.uint8), "ZYX", (2.0, 1.0, 1.0), "mm", affine=affine)
    options = labels_options(CATEGORIES, "mask", LayerRecord(scan=grid_of(scan)))
    bar._viewer.add_labels(scan.data.copy(), **options | placement_of(scan))
    bar.window().show()
    qtbot.waitExposed(bar.window())
    return bar


@pytest.mark.skipif(INSTALLED, reason="napari-orthogonal-views is installed")
def test_without_the_plugin_it_says_what_to_install(bar: ViewBar, notifications: list[str]) -> None:
    QTest.mouseClick(bar.linked, Qt.MouseButton.LeftButton)
    assert 'pip install "napari-unet-seg[linked-views]"' in notifications[-1]


@pytest.mark.skipif(not INSTALLED, reason="napari-orthogonal-views is not installed")
def test_the_other_planes_are_upright_and_painting_in_them_is_an_edit(
    qtbot: QtBot, bar: ViewBar
) -> None:
    mask = bar._viewer.layers["mask"]
    QTest.mouseClick(bar.linked, Qt.MouseButton.LeftButton)
    manager = bar._linked._manager
    models = [w.vm_container.viewer_model for w in (manager.right_widget, manager.bottom_widget)]
    assert ["".join(edge_letters(model)) for model in models] == ["APSI", "RLSI"]
    edits: list[Any] = []
    mask.events.paint.connect(edits.append)
    for model in models:
        (copy,) = (layer for layer in model.layers if isinstance(layer, Labels))
        copy.mode, copy.brush_size = "paint", 3
        edits.clear()
        copy.paint((10, 12, 14), 2)
        assert edits
        assert (mask.data == 2).any()
        mask.undo()
        assert not mask.data.any()
    set_locked(mask, 1, True)
    guard = LockGuard(bar)
    guard.watch(mask)
    with qtbot.waitSignal(guard.kept):
        copy.paint((10, 12, 14), 1)
    assert not mask.data.any()
    QTest.mouseClick(bar.linked, Qt.MouseButton.LeftButton)
    assert not bar._linked.shown
    assert canvas_of(bar._viewer).isVisible()


@pytest.mark.skipif(not INSTALLED, reason="napari-orthogonal-views is not installed")
def test_the_planes_meet_in_the_mask(bar: ViewBar) -> None:
    mask = bar._viewer.layers["mask"]
    mask.data[7, 15:18, 3:6] = 1
    bar._viewer.dims.set_current_step(0, 7)
    QTest.mouseClick(bar.linked, Qt.MouseButton.LeftButton)
    manager = bar._linked._manager
    assert bar._viewer.dims.current_step == (7, 16, 4)
    assert manager.right_widget.vm_container.viewer_model.dims.current_step == (7, 16, 4)


@pytest.mark.skipif(not INSTALLED, reason="napari-orthogonal-views is not installed")
def test_the_window_can_be_closed_after_the_views_were_hidden(bar: ViewBar) -> None:
    window = bar.window()
    for _ in range(2):
        QTest.mouseClick(bar.linked, Qt.MouseButton.LeftButton)
    assert not bar._linked.shown
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.sendEvent(window, QEvent(QEvent.Type.Close))
