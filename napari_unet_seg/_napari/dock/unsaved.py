"""Whether a mask has corrections that are in no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.edit_monitor import EditWatch

if TYPE_CHECKING:
    from napari.layers import Labels


class _State(NamedTuple):
    edited: bool = False
    saved: bool = False


class UnsavedEdits(QObject):
    """Watches the edits of one mask at a time, and remembers the state of the others."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._edits = EditWatch(self)
        self._edits.edited.connect(self._on_edit)
        self._mask: Labels | None = None
        self._states: WeakKeyDictionary[Labels, _State] = WeakKeyDictionary()
        self._is_as_written = False
        """Whether the mask was not edited since its writing began."""

    @property
    def edited(self) -> bool:
        """Whether the mask was edited since it was saved or first watched."""
        return self._state.edited

    @property
    def saved(self) -> bool:
        """Whether the mask is in a file, and was not edited since."""
        return self._state.saved

    def watch(self, mask: Labels | None) -> None:
        """Watch another mask."""
        if mask is self._mask:
            return
        before = self._state
        self._mask = mask
        self._is_as_written = False
        self._edits.watch(mask)
        if self._state != before:
            self.changed.emit()

    def take_for_edited(self) -> None:
        """Take the mask for edited: it was corrected in an earlier session."""
        self._set(_State(edited=True))

    def start_saving(self, mask: Labels) -> None:
        """Note that a mask is being written; edits from now on are not in its file."""
        self._is_as_written = mask is self._mask

    def finish_saving(self, mask: Labels) -> None:
        """Take a mask that was written for saved, unless it was edited or left meanwhile."""
        if mask is self._mask and self._is_as_written:
            self._set(_State(saved=True))

    @property
    def _state(self) -> _State:
        return _State() if self._mask is None else self._states.get(self._mask, _State())

    def _on_edit(self) -> None:
        self._is_as_written = False
        self._set(_State(edited=True))

    def _set(self, state: _State) -> None:
        if self._mask is not None and state != self._state:
            self._states[self._mask] = state
            self.changed.emit()
