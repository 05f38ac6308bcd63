"""The changes of the slice on screen against its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import qthrottled

from napari_unet_seg._napari.layers.edited_slices import EditedSlices
from napari_unet_seg._napari.layers.undoable_edits import replace_slice
from napari_unet_seg._napari.session.slices.changes_overlay import ChangesOverlay
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.session.slice_labels import slice_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.slices.contents import SliceContents
    from napari_unet_seg._napari.session.slices.decisions import Decisions
    from napari_unet_seg._napari.session.slices.predictions import SessionPredictions
    from napari_unet_seg._napari.session.slices.shown_slice import ShownSlice

_REFRESH_MS = 120


class MaskChanges(QObject):
    """Follows the edits of a mask: shows the changes, and has edited slices saved, until `close`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    mask : Labels
        The layer of the session's mask.
    shown : ShownSlice
        The slice on screen.
    decisions : Decisions
        The decisions on slices, whose states follow the edits.
    predictions : SessionPredictions
        What the mask is compared with.
    contents : SliceContents
        The content of slices, which edits change.
    parent : QObject
        Owner of this object.
    """

    changed = Signal(object)
    """Emitted with the `SliceChanges` of the slice on screen."""

    def __init__(
        self,
        viewer: ViewerModel,
        mask: Labels,
        shown: ShownSlice,
        decisions: Decisions,
        predictions: SessionPredictions,
        contents: SliceContents,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._mask, self._shown, self._decisions = mask, shown, decisions
        self._predictions, self._contents = predictions, contents
        self._overlay = ChangesOverlay(viewer, mask)
        self._job: jobs.Job | None = None
        """Reads all predictions."""
        self._edited = EditedSlices(mask)
        self._update_soon = qthrottled(self.update, timeout=_REFRESH_MS, leading=False, parent=self)
        events = mask.events
        self._emitters = (events.paint, events.labels_update, events.set_data)
        for emitter in self._emitters:
            emitter.connect(self.update_soon)
        shown.redrawn.connect(self.update_soon)

    def show(self, shown: bool) -> None:
        """Show or hide the layer of changes."""
        if shown:
            self._overlay.show()
            self.update()
        else:
            self._overlay.hide()

    def update_soon(self, _: Any = None) -> None:
        """Update the changes a moment later, once for all that happens until then."""
        self._update_soon()

    def update(self) -> None:
        """Compare the slice on screen with its prediction, and show the changes of the plane."""
        place = self._shown.place
        part = self._shown.part if self._overlay.shown else place
        if not (draws := self._predictions.has(part)):
            part = place
            self._read_all()
        if self._predictions.update_from_segment(part):
            self._decisions.refresh()
        prediction, labels = self._predictions.read(place), np.asarray(self._mask.data[place])
        self.save_edits()
        self._decisions.follow_edit(self._shown.index, np.array_equal(prediction, labels))
        if self._overlay.shown and draws:
            self._overlay.update(
                self._predictions.read(part), np.asarray(self._mask.data[part]), part
            )
        self.changed.emit(slice_changes(prediction, labels))

    def _read_all(self) -> None:
        """Read all predictions for a plane that crosses the slices, and update then."""
        if self._job is not None:
            return

        def on_read(take: Callable[[], None]) -> None:
            take()
            self.update_soon()

        def done() -> None:
            self._job = None

        events = self._predictions.reading()
        self._job = jobs.run(events, on_event=on_read, on_done=done, name="Reading the predictions")
        self.destroyed.connect(self._job.abandon)

    def save_edits(self) -> None:
        """Save accepted slices that were edited, on screen or not.

        A tool may have edited them with other slices, or a prompt whose computation took a while.
        """
        self._contents.update()
        self._decisions.save_edited(self._edited.take())

    def revert(self) -> None:
        """Restore the prediction of the slice on screen, as one step of undo."""
        if self._shown.check():
            place = self._shown.place
            replace_slice(self._mask, self._predictions.read(place), place)

    def close(self) -> None:
        """Save the edited slices, and disconnect from the mask."""
        if self._job is not None:
            self._job.abandon()
        self.save_edits()
        for emitter in self._emitters:
            emitter.disconnect(self.update_soon)
        self._update_soon.cancel()
        self._edited.close()
        self._overlay.hide()
