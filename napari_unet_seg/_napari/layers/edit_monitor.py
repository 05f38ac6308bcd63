"""Whether a mask was edited: by the brush, a tool, undo or redo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.edited_slices import EditedSlices

if TYPE_CHECKING:
    from napari.layers import Labels


class EditMonitor:
    """Detects edits of a mask; napari redraws a layer for many other reasons too."""

    def __init__(self, layer: Labels) -> None:
        self._layer, self._data = layer, layer.data
        self._edited = EditedSlices(layer)
        # A hidden layer emits the first two when it is shown again.
        events = layer.events
        self.emitters = (events.labels_update, events.set_data, events.visible)

    def take(self) -> bool:
        """Return whether the mask was edited since the last call."""
        before, self._data = self._data, self._layer.data
        if self._data is not before:
            self._edited.close()
            self._edited = EditedSlices(self._layer)
            return True
        return bool(self._edited.take())

    def close(self) -> None:
        """Stop watching the mask."""
        self._edited.close()


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
            for emitter in self._monitor.emitters:
                emitter.disconnect(self._on_redrawn)
            self._monitor.close()
        self._monitor = None if mask is None else EditMonitor(mask)
        if self._monitor is not None:
            for emitter in self._monitor.emitters:
                emitter.connect(self._on_redrawn)

    def settle(self) -> None:
        """Do not tell of the edits so far."""
        if self._monitor is not None:
            self._monitor.take()

    def _on_redrawn(self, _: Any = None) -> None:
        if self._monitor is not None and self._monitor.take():
            self.edited.emit()
