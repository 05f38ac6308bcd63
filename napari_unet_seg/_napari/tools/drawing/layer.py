"""Temporary layers over a mask that the mouse draws on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.overlay import Overlay
from napari_unet_seg._napari.layers.position import displayed_axes, shown_part
from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part

_LINE_COLOUR = "#00e5ff"
_PEN = 1
_LEFT = 1


class DrawingLayer(QObject):
    """A layer of the plugin, active from `show` until `hide`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows the layer.
    parent : QWidget
        The widget with which the connections to the viewer end.
    """

    drawn = Signal()
    """Something was drawn, and napari has finished its own handling."""
    ended = Signal()
    """Escape was pressed, another layer became active, or this one was deleted."""
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.layer: Any = None
        self._viewer = viewer
        self._mask: Labels | None = None
        self._drawn_soon = self._soon(self.drawn.emit)
        # A layer that is being added may be active for a moment only.
        self._look_soon = self._soon(self._look)
        active = viewer.layers.selection.events.active
        connect(parent, (active, lambda _: self._look_soon.start()))

    def show(self, mask: Labels) -> None:
        """Add the layer over a mask, ready to be drawn on."""
        self._mask = mask
        layer = self._add(self._viewer, mask)
        for key, signal in (
            ("Escape", self.ended),
            ("Control-Z", self.undo_wanted),
            ("Control-Shift-Z", self.redo_wanted),
        ):
            layer.bind_key(key, lambda _, s=signal: s.emit(), overwrite=True)
        for key, by in (("=", 1), ("-", -1)):
            layer.bind_key(key, lambda _, by=by: self._change_category(by), overwrite=True)
        self._viewer.layers.selection.active = layer
        self.layer = layer

    def hide(self) -> None:
        """Remove the layer; the mask becomes active, unless another layer was chosen."""
        layer, self.layer = self.layer, None
        layers = self._viewer.layers
        if layer is None:
            return
        was_active = layer not in layers or layers.selection.active == layer
        if layer in layers:
            layers.remove(layer)
        if was_active and self._mask in layers:
            layers.selection.active = self._mask

    def _change_category(self, by: int) -> None:
        """Choose a neighbouring category, as napari's keys do while the mask is selected."""
        if self._mask is not None:
            label = int(self._mask.selected_label) + by
            self._mask.selected_label = min(max(label, 1), len(categories_of(self._mask)) or 1)

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        raise NotImplementedError

    def _look(self) -> None:
        # napari gives plugins proxies of layers: equal, but not identical.
        if self.layer is not None and self._viewer.layers.selection.active != self.layer:
            self.ended.emit()

    def _soon(self, act: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(0)
        timer.timeout.connect(act)
        return timer


class LineLayer(DrawingLayer):
    """A layer for border lines, one at a time."""

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        self._points: list[Array] = []
        self._place: Part = (0,) * (mask.ndim - 2)
        self._overlay = Overlay(viewer, mask, "line", {1: _LINE_COLOUR})
        self._overlay.show()
        layer: Any = self._overlay.layer
        layer.editable, layer.opacity, layer.brush_size = True, 1, _PEN
        layer.mode = "paint"
        # The painted pixels are for display; the mouse has the exact points.
        layer.mouse_drag_callbacks.append(self._on_drag)
        return layer

    def take(self) -> tuple[Array, Part] | None:
        """Return the points and the plane of the last line, and remove it; None after a click."""
        if self.layer is None:
            return None
        points, self._points = self._points, []
        self._overlay.draw(np.zeros_like(self.layer.data[self._place]), self._place)
        return (np.array(points), self._place) if len(points) > 1 else None

    def _on_drag(self, layer: Any, event: Any) -> Generator[None, None, None]:
        if layer.mode != "paint" or event.button != _LEFT:
            return
        axes = list(displayed_axes(self._viewer, layer))
        points, place = [layer.world_to_data(event.position)[axes]], shown_part(self._viewer, layer)
        yield
        while event.type == "mouse_move":
            points.append(layer.world_to_data(event.position)[axes])
            yield
        self._points, self._place = points, place
        self._drawn_soon.start()
