"""Whether a mask has corrections that are in no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

if TYPE_CHECKING:
    from napari.layers import Labels


class UnsavedEdits(QObject):
    """Watches the edits of one mask at a time."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mask: Labels | None = None
        self.edited = False
        """Whether the mask was edited since it was saved or first watched."""
        self.saved = False
        """Whether the mask is in a file, and was not edited since."""
        if parent is not None:
            parent.destroyed.connect(lambda: self.watch(None))

    def watch(self, mask: Labels | None, *, edited: bool = False) -> None:
        """Watch another mask, which may have been edited before."""
        if mask is self._mask:
            return
        if self._mask is not None:
            self._mask.events.paint.disconnect(self._on_edit)
        self._mask = mask
        if mask is not None:
            mask.events.paint.connect(self._on_edit)
        self._set(edited=edited, saved=False)

    def settle(self) -> None:
        """Take the mask as it is for saved."""
        self._set(edited=False, saved=True)

    def _on_edit(self, _: Any = None) -> None:
        self._set(edited=True, saved=False)

    def _set(self, *, edited: bool, saved: bool) -> None:
        if (edited, saved) != (self.edited, self.saved):
            self.edited, self.saved = edited, saved
            self.changed.emit()
