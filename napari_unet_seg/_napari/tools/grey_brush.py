"""A brush that paints only where the grey values are as under its first press."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.position import displayed_axes, shown_part
from napari_unet_seg._napari.layers.undoable_edits import take_back
from napari_unet_seg.io.common.window import to_grey
from napari_unet_seg.process.warm_engine import scan_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array

_WIDTH = 2.5
"""Half of the range of grey values, in standard deviations of those under the first press."""
_LEAST = 0.04
"""Least half of the range, as a share of all grey values on the slice."""


class _Range(NamedTuple):
    plane: Array
    """Grey values of the slice."""
    low: float
    high: float


class GreyBrush(QObject):
    """Limits the strokes of napari's brush on one mask at a time, within their step of undo.

    Pixels outside the range are put back when the stroke has ended, as those of locked categories.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    image : callable
        Returns the image of the mask.
    parent : QObject
        The object with which the connections to the mask end.
    """

    def __init__(
        self, viewer: ViewerModel, image: Callable[[], Image | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.is_on = False
        """Whether strokes are limited."""
        self._viewer, self._image = viewer, image
        self._mask: Labels | None = None
        self._range: _Range | None = None
        self._steps: list[tuple[list[Any], _Range]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._put_back)
        self.destroyed.connect(lambda: self.watch(None))

    def watch(self, mask: Labels | None) -> None:
        """Limit the strokes on a mask, in place of the previous mask; None for no mask."""
        if self._mask is not None:
            self._mask.mouse_drag_callbacks.remove(self._on_press)
            self._mask.events.paint.disconnect(self._on_edit)
        self._mask, self._range, self._steps = mask, None, []
        if mask is not None:
            mask.mouse_drag_callbacks.append(self._on_press)
            mask.events.paint.connect(self._on_edit)

    def _on_press(self, mask: Labels, event: Any) -> None:
        image = self._image()
        self._range = None
        if self.is_on and mask.mode == "paint" and image is not None:
            scan = scan_from_layer(image)
            if scan.grid_shape == mask.data.shape:
                part = scan_part(scan, shown_part(self._viewer, mask))
                plane = np.asarray(part.data)
                plane = to_grey(plane) if part.axes.endswith("C") else plane
                at = np.array(mask.world_to_data(event.position))
                self._range = _around(
                    plane, at[list(displayed_axes(self._viewer, mask))], mask.brush_size / 2
                )

    def _on_edit(self, event: Any) -> None:
        if self._range is not None:
            self._steps.append((event.value, self._range))
            self._range = None
            self._timer.start(0)

    def _put_back(self) -> None:
        steps, self._steps = self._steps, []
        if (mask := self._mask) is None:
            return
        axes = displayed_axes(self._viewer, mask)
        count = 0
        for step, (plane, low, high) in steps:

            def is_outside(
                indices: Any, *_: Array, plane: Array = plane, low: float = low, high: float = high
            ) -> Array:
                greys = plane[tuple(indices[axis] for axis in axes)]
                return np.asarray((greys < low) | (greys > high))

            count += take_back(mask, step, is_outside)
        if count:
            mask.refresh()


def _around(plane: Array, at: Array, radius: float) -> _Range:
    """Return the range of the grey values under a brush."""
    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    near = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 <= max(1.0, radius) ** 2
    seen = plane[near & np.isfinite(plane)].astype(float)
    finite = plane[np.isfinite(plane)]
    if not seen.size:
        return _Range(plane, -np.inf, np.inf)
    middle = float(np.median(seen))
    spread = 1.4826 * float(np.median(abs(seen - middle)))  # a standard deviation without outliers
    half = max(_WIDTH * spread, _LEAST * float(np.ptp(finite)))
    return _Range(plane, middle - half, middle + half)
