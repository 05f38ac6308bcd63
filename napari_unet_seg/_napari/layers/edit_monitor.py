"""Whether a mask was edited: by the brush, a tool, undo or redo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.edited_slices import EditedSlices

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.utils.events import EventEmitter


class EditMonitor:
    """Detects edits of a mask; napari redraws a layer for many other reasons too.

    Parameters
    ----------
    layer : Labels
        The mask.
    on_redrawn : callable
        Called whenever the mask may have been edited, until `close`.
    """

    def __init__(self, layer: Labels, on_redrawn: Callable[[Any], None]) -> None:
        self._layer, self._data = layer, layer.data
        self._edited = EditedSlices(layer)
        self._on_redrawn = on_redrawn
        for emitter in self._emitters:
            emitter.connect(on_redrawn, position="last")  # after `EditedSlices`

    def take(self) -> bool:
        """Return whether the mask was edited since the last call."""
        before, self._data = self._data, self._layer.data
        if self._data is not before:
            self._edited.close()
            self._edited = EditedSlices(self._layer)
            is_read = isinstance(before, np.ndarray)  # comparing a lazy one would read it from disk
            return not (is_read and np.array_equal(before, self._data))
        return bool(self._edited.take())

    def close(self) -> None:
        """Stop watching the mask."""
        self._edited.close()
        for emitter in self._emitters:
            emitter.disconnect(self._on_redrawn)

    @property
    def _emitters(self) -> tuple[EventEmitter, ...]:
        # A stroke is drawn before it enters the history; undo and redo are only drawn. A hidden
        # layer is drawn when it is shown again.
        events = self._layer.events
        return events.paint, events.labels_update, events.set_data, events.visible


class EditWatch(QObject):
    """Tells of the edits of one mask at a time, until its parent is destroyed."""

    edited = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._monitor: EditMonitor | None = None
        parent.destroyed.connect(lambda: self.watch(None))

    def watch(self, mask: Labels | None) -> None:
        """Watch another mask from now on, or none."""
        if self._monitor is not None:
            self._monitor.close()
        self._monitor = None if mask is None else EditMonitor(mask, self._on_redrawn)

    def settle(self) -> None:
        """Do not tell of the edits so far."""
        if self._monitor is not None:
            self._monitor.take()

    def _on_redrawn(self, _: Any = None) -> None:
        if self._monitor is not None and self._monitor.take():
            self.edited.emit()
