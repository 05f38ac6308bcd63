"""A session while it is corrected: where the reviewer stands, what changed, what is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import qthrottled

from napari_unet_seg._napari._autosave import Autosave
from napari_unet_seg._napari._changes import ChangesOverlay
from napari_unet_seg._napari._edits import put_slice
from napari_unet_seg._napari._review_layers import (
    go_to,
    index_of,
    is_prediction,
    place_of,
)
from napari_unet_seg.session import ReviewState, compare

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.session import Session

_REFRESH_MS = 120


class Reviewing(QObject):
    """Joins a session with the layers it is corrected in, until `close`.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    session : Session
        An open session.
    image, mask : layers
        Its scan and its mask.
    """

    moved = Signal(int)
    """The slice the viewer went to."""
    decided = Signal(int)
    """A slice that was accepted or skipped."""
    changed = Signal(object)
    """How the slice on screen differs from its prediction."""

    def __init__(self, viewer: ViewerModel, session: Session, image: Image, mask: Labels) -> None:
        super().__init__()
        self.viewer, self.session, self.image, self.mask = viewer, session, image, mask
        self.autosave = Autosave(session, lambda: mask.data, self)
        self.overlay = ChangesOverlay(viewer, mask)
        self.index = index_of(viewer, mask)
        self._predicted: tuple[int, Any] = (-1, None)
        self._look_soon = qthrottled(self.look, timeout=_REFRESH_MS, leading=False, parent=self)
        mask.events.labels_update.connect(self._on_edit)
        mask.events.set_data.connect(self._on_edit)
        viewer.dims.events.point.connect(self._on_move)
        viewer.layers.selection.active = mask

    def decide(self, state: ReviewState) -> None:
        """Mark the slice on screen, save it, and go to the next one to do."""
        index = self.index
        self.session.set_state(index, state)
        self.autosave.save((index,))
        self.decided.emit(index)
        following = self.session.next_todo(index)
        if following is not None:
            self.go_to(following)

    def go_to(self, index: int) -> None:
        """Show a slice, the first or last one if there is none so far."""
        go_to(self.viewer, self.mask, min(max(index, 0), len(self.session.states) - 1))

    def revert(self) -> None:
        """Bring the slice on screen back to its prediction, as one step that Ctrl+Z undoes."""
        put_slice(self.mask, self._prediction(), place_of(self.viewer, self.mask))

    def show_changes(self, shown: bool) -> None:
        """Show or hide the layer of changes."""
        if shown:
            self.overlay.show()
            self.look()
        else:
            self.overlay.hide()

    def look(self) -> None:
        """Compare the slice on screen with its prediction now."""
        prediction, place = self._prediction(), place_of(self.viewer, self.mask)
        labels = np.asarray(self.mask.data[place])
        if is_prediction(self.mask, place) and not np.array_equal(prediction, labels):
            # Segment filled this slice after the session started.
            prediction = labels.copy()
            self._predicted = (self.index, prediction)
            self.autosave.replace_prediction(self.index, prediction)
        self.overlay.update(prediction, labels, place)
        self.changed.emit(compare(prediction, labels))

    def close(self) -> None:
        """Save for the last time, and let go of the layers and the session."""
        self.mask.events.labels_update.disconnect(self._on_edit)
        self.mask.events.set_data.disconnect(self._on_edit)
        self.viewer.dims.events.point.disconnect(self._on_move)
        self._look_soon.cancel()
        self.overlay.hide()
        self.autosave.close()
        self.session.close()

    def _on_edit(self, _: Any = None) -> None:
        self.autosave.touch()
        self._look_soon()

    def _on_move(self, _: Any = None) -> None:
        index = index_of(self.viewer, self.mask)
        if index != self.index:
            self.index = index
            self.moved.emit(index)
            self._look_soon()

    def _prediction(self) -> Any:
        if self._predicted[0] != self.index:
            self._predicted = (self.index, self.session.masks.read_prediction(self.index))
        return self._predicted[1]
