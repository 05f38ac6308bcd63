"""Whether masks have corrections that are in no file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.edit_monitor import EditWatch
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.prediction import is_untouched
from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class _State(NamedTuple):
    edited: bool = False
    saved: bool = False


class UnsavedEdits(QObject):
    """Watches the edits of all masks of a viewer, chosen or not.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the masks.
    dock : QWidget
        The dock with which watching ends.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, dock: QWidget) -> None:
        super().__init__(dock)
        self._watches: dict[Labels, EditWatch] = {}
        self._states: WeakKeyDictionary[Labels, _State] = WeakKeyDictionary()
        self._as_written: WeakSet[Labels] = WeakSet()
        """Masks that were not edited since their writing began."""
        self._in_session: WeakSet[Labels] = WeakSet()
        """Masks that were not edited since their session was closed, or whose session is open."""
        self._open: Labels | None = None
        """The mask of the open session."""
        for layer in viewer.layers:
            self._watch(layer)
        events = viewer.layers.events
        connect(dock, (events.inserted, self._on_inserted), (events.removed, self._on_removed))

    def is_edited(self, mask: Labels | None) -> bool:
        """Whether a mask was edited since it was saved or added."""
        return self._state_of(mask).edited

    def is_saved(self, mask: Labels | None) -> bool:
        """Whether a mask is in a file, and was not edited since."""
        return self._state_of(mask).saved

    def lost(self) -> list[Labels]:
        """Return the masks with edits that are neither in a file nor in a session."""
        edited = (mask for mask in self._watches if self.is_edited(mask))
        return [mask for mask in edited if mask not in self._in_session]

    def lost_text(self) -> str:
        """Return a sentence on the masks that a closed window would lose; empty without any."""
        names = " and ".join(mask.name for mask in self.lost())
        return f"What you edited in {names} is in no file and no session yet." if names else ""

    def follow_session(self, mask: Labels | None) -> None:
        """Take note of the mask of the open session, which keeps the edits; None for no session."""
        self._open = mask
        if mask is not None:
            self._in_session.add(mask)

    def take_for_edited(self, mask: Labels) -> None:
        """Take a mask for edited: it was corrected in an earlier session."""
        self._set(mask, _State(edited=True))

    def follow_segment(self, mask: Labels) -> None:
        """Take a mask that holds predictions alone for unedited."""
        if not (self.is_edited(mask) and record_of(mask).predicted):
            return
        if is_untouched(mask, np.ndindex(mask.data.shape[:-2])):
            self._set(mask, _State())

    def start_saving(self, mask: Labels) -> None:
        """Note that a mask is being written; edits from now on are not in its file."""
        self._as_written.add(mask)

    def finish_saving(self, mask: Labels) -> None:
        """Take a mask that was written for saved, unless it was edited meanwhile."""
        if mask in self._as_written:
            self._set(mask, _State(saved=True))

    def _state_of(self, mask: Labels | None) -> _State:
        return _State() if mask is None else self._states.get(mask, _State())

    def _set(self, mask: Labels, state: _State) -> None:
        if state != self._state_of(mask):
            self._states[mask] = state
            self.changed.emit()

    def _watch(self, layer: Layer) -> None:
        if is_user_layer(layer, Labels):
            self._watches[layer] = watch = EditWatch(self)
            watch.edited.connect(partial(self._on_edit, layer))
            watch.watch(layer)

    def _on_inserted(self, event: Any) -> None:
        self._watch(event.value)

    def _on_removed(self, event: Any) -> None:
        if (watch := self._watches.pop(event.value, None)) is not None:
            watch.watch(None)
            watch.deleteLater()

    def _on_edit(self, mask: Labels) -> None:
        self._as_written.discard(mask)
        if mask is not self._open:
            self._in_session.discard(mask)
        self._set(mask, _State(edited=True))
