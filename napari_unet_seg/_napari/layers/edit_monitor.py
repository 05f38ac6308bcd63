"""Whether a mask was edited: by the brush, a tool, undo or redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
