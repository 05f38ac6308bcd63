"""The tools on coronal and sagittal planes of a volume of axial slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mouse import drag_along
from pages import dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import CATEGORIES

from napari_unet_seg._napari.layers.conversion import (
    grid_of,
    labels_options,
    scan_options,
)
from napari_unet_seg._napari.layers.geometry import placement_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.layers.position import go_to_part
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from disc_scene import BrightNetwork
    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

SHAPE = (24, 30, 36)
SPACING = (2.0, 1.0, 1.0)
CENTRE, RADII = (12, 15, 18), (5, 8, 8)
PLANES = {"coronal": (slice(None), 14), "sagittal": (slice(None), slice(None), 19)}


def ball(grow: float = 0.0) -> np.ndarray:
    axes = zip(np.indices(SHAPE), CENTRE, RADII, strict=True)
    inside: np.ndarray = sum(((i - c) / (r + grow)) ** 2 for i, c, r in axes) <= 1
    return inside


def scan(values: np.ndarray) -> Scan:
    """A volume of axial slices, from the right to the left, the front to the back, and up."""
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    return Scan(values, "ZYX", SPACING, "mm", affine=affine)


@pytest.fixture
def widget(qtbot: QtBot, dock: Callable[[type], Any], network: BrightNetwork) -> ReviewWidget:
    """The dock with a bright ball and a mask of it that is too small, the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    noise = np.random.default_rng(1).normal(0, 4, SHAPE)
    image = scan((60 + 100 * ball() + noise).astype(np.float32))
    widget.viewer.add_image(image.data, **scan_options(image, "head"))
    record = LayerRecord(scan=grid_of(image))
    options = labels_options(CATEGORIES, "mask", record) | placement_of(image)
    widget.viewer.add_labels(ball(-2).astype(np.uint8), **options)
    widget.tabs.setCurrentWidget(widget.tools)
    widget.tools.more.expand(animate=False)
    widget.window().show()
    qtbot.waitExposed(widget.window())
    return widget


@pytest.fixture(params=PLANES)
def part(request: pytest.FixtureRequest, widget: ReviewWidget) -> tuple[int | slice, ...]:
    """The plane on screen, of the array."""
    button = next(b for b in dock_of(widget).views.planes if b.property("plane") == request.param)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    go_to_part(widget.viewer, mask_of(widget), PLANES[request.param])
    return PLANES[request.param]


def mask_of(widget: ReviewWidget) -> Any:
    return widget.viewer.layers["mask"]


def drag(qtbot: QtBot, widget: Any, *ends: tuple[float, float], **how: Any) -> None:
    """Drag the mouse over the canvas, between points of the two axes on screen, from the centre."""
    viewer = widget.viewer
    middle = [CENTRE[axis] * SPACING[axis] for axis in viewer.dims.displayed]
    origin = [widget.viewer.layers["mask"].translate[axis] for axis in viewer.dims.displayed]
    points = [np.add(middle, end) + origin for end in ends]
    drag_along(qtbot, viewer, [tuple(point) for point in np.linspace(*points, 8)], **how)


def assert_changed_only(widget: ReviewWidget, before: np.ndarray, part: Any) -> None:
    """The plane must have changed, and nothing beside it."""
    after = mask_of(widget).data.copy()
    assert (after[part] != before[part]).any()
    after[part] = before[part]
    np.testing.assert_array_equal(after, before)


def give(
    qtbot: QtBot, tools: ToolsTab, button: Any, *ends: tuple[float, float], **how: Any
) -> None:
    """Draw what a button is for, and wait for what comes of it."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(tools.prompts.solved):
        drag(qtbot, tools, *ends, **how)
    tools.prompts.end()


def test_the_brush_paints_where_the_mouse_is(
    qtbot: QtBot, widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    mask, before = mask_of(widget), mask_of(widget).data.copy()
    widget.viewer.layers.selection.active = mask
    mask.mode, mask.selected_label, mask.brush_size = "paint", 2, 1
    drag(qtbot, widget, (14.0, -3.0), (14.0, 3.0))
    assert_changed_only(widget, before, part)
    # Seven steps up from the centre, whichever way the camera looks.
    rows, columns = np.nonzero(mask.data[part] == 2)
    assert set(rows) == {CENTRE[0] + 7}
    across = CENTRE[2] if len(part) == 2 else CENTRE[1]
    assert abs(columns.min() - (across - 3)) <= 1
    assert abs(columns.max() - (across + 3)) <= 1


def test_a_tool_changes_the_plane_by_its_own_spacing(
    widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    before = mask_of(widget).data.copy()
    widget.tools.pixels.setValue(2)
    widget.tools.buttons["grow"].click()
    assert_changed_only(widget, before, part)
    grown, was = (np.nonzero(labels[part]) for labels in (mask_of(widget).data, before))
    assert grown[0].min() == was[0].min() - 1  # 2 mm apart
    assert grown[1].min() == was[1].min() - 2
    mask_of(widget).undo()
    np.testing.assert_array_equal(mask_of(widget).data, before)


def test_copying_goes_to_the_next_plane(
    widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    before = mask_of(widget).data.copy()
    mask_of(widget).data[part] = 0
    *whole, number = part
    widget.tools.buttons["copy_previous"].click()
    np.testing.assert_array_equal(mask_of(widget).data[part], before[(*whole, number - 1)])
    widget.tools.buttons["copy_next"].click()
    after = mask_of(widget).data
    np.testing.assert_array_equal(after[(*whole, number + 1)], before[(*whole, number - 1)])
    mask_of(widget).data[...] = 0
    widget.tools.buttons["copy_next"].click()
    assert "There is no" in widget.tools.status.text()


def test_a_box_on_the_plane_becomes_an_outline(
    qtbot: QtBot, widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    before = mask_of(widget).data.copy()
    button, shift = widget.tools.point_bar.button, Qt.KeyboardModifier.ShiftModifier
    give(qtbot, widget.tools, button, (-13.0, -11.0), (13.0, 11.0), modifiers=shift)
    assert_changed_only(widget, before, part)
    truth, found = ball()[part], mask_of(widget).data[part] == 1
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.95


def test_a_stroke_and_a_border_change_the_plane(
    qtbot: QtBot, widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    before, tools = mask_of(widget).data.copy(), widget.tools
    give(qtbot, tools, tools.point_bar.button, (0.0, -7.0), (0.0, 7.0))
    assert_changed_only(widget, before, part)
    before = mask_of(widget).data.copy()
    give(qtbot, tools, tools.border_button, (-9.0, 1.0), (9.0, 1.0))
    assert_changed_only(widget, before, part)


def test_interpolation_names_the_plane_that_it_needs(
    widget: ReviewWidget, part: tuple[int | slice, ...]
) -> None:
    before = mask_of(widget).data.copy()
    widget.tools.buttons["interpolate"].click()
    assert widget.tools.status.text() == (
        "This works on axial slices, as they are stored; turn the view back, or choose the volume."
    )
    np.testing.assert_array_equal(mask_of(widget).data, before)


def test_an_independent_stack_has_no_other_planes(dock: Callable[[type], Any]) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    values = np.zeros((5, 20, 20), np.uint8)
    record = LayerRecord(categories=CATEGORIES, independent=True)
    widget.viewer.add_image(values, name="images", metadata=record.as_metadata())
    widget.viewer.add_labels(values.copy(), name="mask", metadata=record.as_metadata())
    assert not any(button.isEnabled() for button in dock_of(widget).views.planes)
    widget.viewer.dims.order = (1, 0, 2)
    widget.tools.buttons["grow"].click()
    assert widget.tools.status.text().startswith("mask has no such plane")
