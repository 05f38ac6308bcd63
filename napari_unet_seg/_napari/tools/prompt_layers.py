"""Temporary layers over a mask on which prompts are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord
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

Box = tuple[int, int, int, int]

INSIDE, OUTSIDE = 1, 2
"""Labels of strokes inside and outside the object."""
_STROKE_COLOURS = {INSIDE: "#00ff40", OUTSIDE: "#ff0038"}
_LINE_COLOUR = "#00e5ff"
_BRUSH, _PEN = 3, 1
_LEFT = 1
_EDGE_SHARE = 1 / 300
"""Width of a box's edge, as a share of the image's longer side."""


class PromptLayer(QObject):
    """A layer of the plugin, active from `show` until `hide`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows the layer.
    parent : QWidget
        The widget with which the connections to the viewer end.
    """

    drawn = Signal()
    """A prompt was drawn, and napari has finished its own handling."""
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


class BoxLayer(PromptLayer):
    """A layer for boxes."""

    def take(self) -> Box | None:
        """Return the pixel bounds of the last box, and remove the box; None after a click."""
        drawn = self.layer.data if self.layer is not None else []
        if not len(drawn):
            return None
        mask = self._mask
        axes = [] if mask is None else displayed_axes(self._viewer, mask)
        corners = np.asarray(drawn[-1])[:, axes]
        self.layer.selected_data = set(range(len(drawn)))
        self.layer.remove_selected()
        return None if mask is None else _pixels(corners, tuple(mask.data.shape[a] for a in axes))

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        layer = viewer.add_shapes(
            None,
            ndim=mask.ndim,
            name="box",
            edge_color=_LINE_COLOUR,
            face_color="transparent",
            edge_width=max(1, round(_EDGE_SHARE * max(mask.data.shape[-2:]))),
            metadata=LayerRecord(preview="box").as_metadata(),
            **geometry_of(mask),
        )
        layer.mode = "add_rectangle"
        layer.mouse_drag_callbacks.append(self._on_drag)
        return layer

    def _on_drag(self, _: Any, event: Any) -> Generator[None, None, None]:
        yield
        while event.type == "mouse_move":
            yield
        self._drawn_soon.start()


class StrokeLayer(PromptLayer):
    """A layer for scribbles, `INSIDE` or `OUTSIDE`, which stay until they are cleared."""

    def choose(self, sign: int) -> None:
        """Paint with `INSIDE` or `OUTSIDE` from the next stroke on."""
        self.layer.selected_label = sign
        self.layer.mode = "paint"

    def plane(self, place: Part) -> Array:
        """Return a copy of the strokes on a plane."""
        strokes: Array = self.layer.data[place].copy()
        return strokes

    def draw(self, strokes: Array, place: Part) -> None:
        """Replace the strokes on a plane."""
        if self.layer is not None:
            self._overlay.draw(strokes, place)

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        self._overlay = Overlay(viewer, mask, "strokes", _STROKE_COLOURS)
        layer = _paintable(self._overlay, _BRUSH)
        layer.events.paint.connect(lambda _: self._drawn_soon.start())
        return layer


class LineLayer(PromptLayer):
    """A layer for border lines, one at a time."""

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        self._points: list[Array] = []
        self._place: Part = (0,) * (mask.ndim - 2)
        self._overlay = Overlay(viewer, mask, "line", {1: _LINE_COLOUR})
        layer = _paintable(self._overlay, _PEN)
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


def _paintable(overlay: Overlay, brush: int) -> Any:
    """Show an overlay as a layer that can be painted on."""
    overlay.show()
    layer: Any = overlay.layer
    layer.editable = True
    layer.opacity = 1
    layer.brush_size = brush
    return layer


def _pixels(corners: Array, shape: tuple[int, ...]) -> Box | None:
    """Return the half-open pixel bounds between corners; pixel centres are whole numbers."""
    top, left = np.clip(np.floor(corners.min(0) + 0.5), 0, shape).astype(int)
    bottom, right = np.clip(np.floor(corners.max(0) + 0.5) + 1, 0, shape).astype(int)
    box = int(top), int(left), int(bottom), int(right)
    return box if bottom - top > 1 and right - left > 1 else None
