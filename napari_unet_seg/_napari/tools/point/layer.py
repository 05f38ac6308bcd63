"""The layer `prompts`: it shows the prompts of a plane, and takes the mouse for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_unet_seg._napari.layers.overlay import Overlay
from napari_unet_seg._napari.layers.position import displayed_axes, shown_part
from napari_unet_seg._napari.tools.drawing.layer import DrawingLayer
from napari_unet_seg.correct.prompt_marks import Prompt, drawn_pixels
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.prompt_marks import PromptKind
    from napari_unet_seg.io.common.places import Part

_INSIDE, _OUTSIDE, _CONTOUR, _RIM = 1, 2, 3, 4
_COLOURS = {_INSIDE: "#19e5a5", _OUTSIDE: "#ff5a1f", _CONTOUR: "#ffe14d", _RIM: "#101010"}
"""Bluish green, vermilion and yellow, which differ in lightness too for those who see no red; and a
dark rim, without which a prompt is lost on a category of its own colour."""
_LEFT, _RIGHT = 1, 2
_LATE_MS = 1000
"""Time after which a click is shown that has no answer yet.

Until then the outline stays: a picture in between would hold up the one with the answer.
"""
_TREMOR = 4
"""Distance in pixels of the screen up to which a press and its release are a click."""
_STEP = 0.7
"""Smallest distance in pixels of the mask between points of a line."""
_MODE = "pick"
"""napari's mode in which a drag neither moves the camera nor paints; Space still lets it move."""
_OF_THE_MASK = ("paint", "erase", "fill", "polygon")
"""Modes that the user wants for the mask, by their keys."""


class PointLayer(DrawingLayer):
    """A layer for clicks, strokes, boxes and lassos."""

    given = Signal(object, object)
    """A prompt was given: the `Prompt` and its plane."""
    hovered = Signal(object, bool)
    """The pointer is at a point of the plane, None if on no pixel; whether it would be inside."""
    pressed = Signal(object, bool)
    """A button is down at a point of the plane, most likely for a click; whether it is inside."""
    mode_wanted = Signal(str)
    """The user has pressed the key of napari's brush, for example."""

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(viewer, parent)
        self._prompts: tuple[Prompt, ...] = ()
        self._contour: Array | None = None
        self._part: Part = ()
        self._pressed: Prompt | None = None
        """The click that is not answered yet."""
        self._late = self._soon(self._draw_pressed)
        self._late.setInterval(_LATE_MS)

    @property
    def part(self) -> Part:
        """The plane that is drawn on."""
        return self._part

    def show_prompts(self, prompts: Iterable[Prompt], part: Part) -> None:
        """Draw the prompts of a plane, and nothing else."""
        if self.layer is None:
            return
        if part != self._part:
            self._overlay.draw(np.zeros_like(self.layer.data[self._part]), self._part)
        self._part, self._prompts, self._contour = part, tuple(prompts), None
        self._late.stop()
        self._draw()

    def show_contour(self, contour: Array | None) -> None:
        """Draw a contour on the plane; None for no contour."""
        if self.layer is None or (contour is None and self._contour is None):
            return
        self._contour = contour
        self._draw()

    def _add(self, viewer: ViewerModel, mask: Labels) -> Any:
        self._overlay = Overlay(viewer, mask, "prompts", _COLOURS)
        self._overlay.show()
        self._part = shown_part(viewer, mask)
        layer: Any = self._overlay.layer
        layer.editable, layer.mode = True, _MODE
        layer.mouse_drag_callbacks.append(self._on_drag)
        layer.mouse_move_callbacks.append(self._on_move)
        layer.events.mode.connect(self._on_mode)
        # Nobody paints on this layer: napari's control, and its key B, are for the mask below.
        layer.preserve_labels = mask.preserve_labels
        layer.events.preserve_labels.connect(self._on_preserve)
        return layer

    def _draw(self, new: Prompt | None = None) -> None:
        labels = np.zeros_like(self.layer.data[self._part])
        if self._contour is not None and new is None:
            labels[self._contour] = _CONTOUR
        for prompt in (*self._prompts, *([] if new is None else [new])):
            pixels = drawn_pixels(prompt, labels.shape)
            labels[pixels] = _INSIDE if prompt.inside else _OUTSIDE
        _add_rim(labels)
        self._overlay.draw(labels, self._part)

    def _on_mode(self, _: Any) -> None:
        if self.layer is not None and (mode := self.layer.mode) in _OF_THE_MASK:
            self.mode_wanted.emit(mode)

    def _on_preserve(self, _: Any) -> None:
        if self.layer is not None and self._mask is not None:
            self._mask.preserve_labels = self.layer.preserve_labels

    def _on_move(self, layer: Any, event: Any) -> None:
        self.hovered.emit(self._pixel(layer, event), _is_inside(event))

    def _on_drag(self, layer: Any, event: Any) -> Generator[None, None, None]:
        start = self._pixel(layer, event)
        if layer.mode != _MODE or event.button not in (_LEFT, _RIGHT) or start is None:
            return
        # Else vispy would look for what is below the press, and draw everything twice for it.
        event.handled = True
        kind, inside = _kind(event), _is_inside(event)
        pressed, points, part = np.array(event.pos), [start], self._part
        prompt = click = Prompt("click", inside, (start,))
        if kind == "scribble":
            self._pressed = click
            self._late.start()
            self.pressed.emit(start, inside)
        yield
        while event.type == "mouse_move":
            points = _extended(points, self._point(layer, event), kind)
            if np.abs(event.pos - pressed).max() > _TREMOR:
                if prompt is click:
                    self._late.stop()
                    self.hovered.emit(None, inside)
                prompt = Prompt(kind, inside, tuple(points))
                self._draw(prompt)
            yield
        if kind in (prompt.kind, "scribble"):
            self.given.emit(prompt, part)
        else:
            self._draw()  # a click is no box

    def _draw_pressed(self) -> None:
        if self.layer is not None:
            self._draw(self._pressed)

    def _point(self, layer: Any, event: Any) -> tuple[float, float]:
        """Return where the mouse is on the plane, in pixels."""
        axes = list(displayed_axes(self._viewer, layer))
        row, column = np.round(layer.world_to_data(event.position)[axes], 1).tolist()
        return row, column

    def _pixel(self, layer: Any, event: Any) -> tuple[float, float] | None:
        """Return the pixel that the mouse is on; None beyond the plane."""
        row, column = np.rint(self._point(layer, event)).tolist()
        height, width = layer.data[self._part].shape
        return (row, column) if 0 <= row < height and 0 <= column < width else None


def _add_rim(labels: Array) -> None:
    """Draw a rim around the prompts."""
    from scipy.ndimage import binary_dilation

    prompts = (labels == _INSIDE) | (labels == _OUTSIDE)
    window = box_of(prompts, 1)
    if window is not None:
        inner = prompts[window]
        labels[window][binary_dilation(inner) & ~inner] = _RIM


def _kind(event: Any) -> PromptKind:
    if "Shift" in event.modifiers:
        return "box"
    return "lasso" if "Alt" in event.modifiers else "scribble"


def _is_inside(event: Any) -> bool:
    return event.button != _RIGHT and "Control" not in event.modifiers


def _extended(
    points: list[tuple[float, float]], point: tuple[float, float], kind: PromptKind
) -> list[tuple[float, float]]:
    """Return a line with a further point, or a box with another corner."""
    if kind == "box":
        return [points[0], point]
    return points if np.hypot(*np.subtract(point, points[-1])) < _STEP else [*points, point]
