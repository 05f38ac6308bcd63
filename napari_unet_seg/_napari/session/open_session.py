"""A session while it is corrected: where the reviewer stands, what changed, what is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import qthrottled

from napari_unet_seg._napari.layers.edits import put_slice
from napari_unet_seg._napari.layers.history import EditedSlices
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.layers.position import go_to, index_of, off_screen, place_of
from napari_unet_seg._napari.layers.prediction import maps_of, note_decided
from napari_unet_seg._napari.session.autosave import Autosave
from napari_unet_seg._napari.session.changes_overlay import ChangesOverlay
from napari_unet_seg._napari.session.predictions import Baseline
from napari_unet_seg.session.review_queue import (
    Order,
    Queue,
    ReviewState,
    accepted_state,
    sorted_slices,
)
from napari_unet_seg.session.session import compare, stray_label

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.session.session import Session

_REFRESH_MS = 120


class OpenSession(QObject):
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
    """A slice whose state changed."""
    queue_changed = Signal()
    """The slices of the queue, their order, states or figures are others."""
    changed = Signal(object)
    """How the slice on screen differs from its prediction."""
    mask_shown = Signal(bool)
    """Whether the mask is visible."""
    predicted_again = Signal()
    """Slices that were to do have other labels."""
    told = Signal(str)
    """Why something that was asked for is not done."""

    def __init__(self, viewer: ViewerModel, session: Session, image: Image, mask: Labels) -> None:
        super().__init__()
        self.viewer, self.session, self.image, self.mask = viewer, session, image, mask
        self.autosave = Autosave(session, lambda: mask.data, self)
        self.overlay = ChangesOverlay(viewer, mask)
        self.index = index_of(viewer, mask)
        self.queue = Queue()
        self._order = Order.AS_STORED
        self._shown: ReviewState | None = None
        self._baseline = Baseline(session, mask, self.autosave)
        self._edited = EditedSlices(mask)
        self._look_soon = qthrottled(self.look, timeout=_REFRESH_MS, leading=False, parent=self)
        self.autosave.minute.connect(self._see_edits)
        self.autosave.saved.connect(self._follow_states)
        mask.events.paint.connect(self._on_edit)
        mask.events.labels_update.connect(self._on_edit)
        mask.events.set_data.connect(self._on_edit)
        mask.events.visible.connect(self._on_visible)
        mask.events.name.connect(self._on_name)
        viewer.dims.events.point.connect(self._on_move)
        viewer.layers.selection.active = mask
        self.arrange(Order.AS_STORED, None)

    def arrange(self, order: Order, shown: ReviewState | None) -> None:
        """Go through the slices in an order, all or those of one state."""
        self._order, self._shown = order, shown
        self._queue_again()

    def accept(self) -> None:
        """Mark the slice on screen as right, corrected where it was edited, and go on."""
        if self._on_screen():
            prediction, labels, _ = self._planes()
            if not self._refuses(labels):
                self.decide(accepted_state(np.array_equal(prediction, labels)))

    def decide(self, state: ReviewState) -> None:
        """Mark the slice on screen, save it, and go to the next one to do."""
        if not self._on_screen():
            return
        index = self.index
        self._mark(index, state)
        self.autosave.save((index,))
        following = self.queue.following(index)
        if following is not None:
            self.go_to(following)

    def step(self, by: int) -> None:
        """Go some rows of the queue on, or back."""
        self.go_to(self.queue.step(self.index, by))

    def go_to_first(self) -> None:
        """Go to the first slice of the queue that is to do."""
        todo = (i for i in self.queue.order if self.queue.states[i] is ReviewState.TODO)
        self.go_to(next(todo, self.index))

    def go_to(self, index: int) -> None:
        """Show a slice."""
        go_to(self.viewer, self.mask, index)

    def revert(self) -> None:
        """Bring the slice on screen back to its prediction, as one step that Ctrl+Z undoes."""
        if self._on_screen():
            put_slice(self.mask, self._baseline.of(self.index), place_of(self.viewer, self.mask))

    def predict_again(self, index: int, labels: Any, dice: float) -> bool:
        """Put a later prediction of a slice into the mask, unless somebody has been there.

        Its maps, of the probabilities for example, are emptied: they are of the model before. The
        slice on screen is left alone too, as are those that are not to do any more, those that came
        from a file, and locked categories. What nobody has touched is no step of the undo history.

        Parameters
        ----------
        index : int
            Of the slice.
        labels : array
            uint8 label values, of shape (Y, X).
        dice : float
            Predicted Dice.

        Returns
        -------
        bool
            Whether it was taken.
        """
        wanted = self.session.states[index] is ReviewState.TODO and index != self.index
        if not wanted or not self._baseline.is_untouched(index):
            return False
        self._baseline.put(index, labels, dice)
        for layer in maps_of(self.viewer, self.mask):
            layer.data[self.session.masks.place(index)] = 0
        return True

    def arrange_again(self) -> None:
        """Sort the queue by figures that have changed, and draw what was predicted again."""
        self._queue_again()
        for layer in (self.mask, *maps_of(self.viewer, self.mask)):
            layer.refresh()  # another axis than that of the slices may be on screen, or all of it
        self.predicted_again.emit()

    def show_changes(self, shown: bool) -> None:
        """Show or hide the layer of changes."""
        if shown:
            self.overlay.show()
            self.look()
        else:
            self.overlay.hide()

    def show_mask(self, shown: bool) -> None:
        """Show or hide the mask, whichever layer is selected."""
        if self.mask.visible != shown:  # setting it draws the layer anew
            self.mask.visible = shown

    def store_locks(self) -> None:
        """Keep with the session which categories are locked."""
        self.session.set_layers(locked=tuple(sorted(locked_of(self.mask))))

    def look(self) -> None:
        """Compare the slice on screen with its prediction now."""
        prediction, labels, place = self._planes()
        self._see_edits()
        if self.session.states[self.index].is_accepted:
            # Painted on or undone since it was accepted.
            self._mark(self.index, accepted_state(np.array_equal(prediction, labels)))
        self.overlay.update(prediction, labels, place)
        self.changed.emit(compare(prediction, labels))

    def close(self) -> None:
        """Save for the last time, and let go of the layers and the session."""
        self._see_edits()
        self.mask.events.paint.disconnect(self._on_edit)
        self.mask.events.labels_update.disconnect(self._on_edit)
        self.mask.events.set_data.disconnect(self._on_edit)
        self.mask.events.visible.disconnect(self._on_visible)
        self.mask.events.name.disconnect(self._on_name)
        self.viewer.dims.events.point.disconnect(self._on_move)
        self._look_soon.cancel()
        self._edited.close()
        self.overlay.hide()
        self.autosave.close()
        self._follow_states()
        note_decided(self.mask, ())
        self.session.close()

    def _on_screen(self) -> bool:
        """Whether the viewer shows a slice of the mask, so that it can be decided on."""
        problem = off_screen(self.viewer, self.mask)
        if problem:
            self.told.emit(problem)
        return not problem

    def _refuses(self, labels: Any) -> bool:
        """Whether a slice holds labels that are no categories, and tell.

        Nothing can be trained on them, and COCO has no name for them.
        """
        stray = stray_label(labels, len(self.session.categories))
        if stray:
            self.told.emit(
                f"A slice holds the label {stray}, which is no category; paint over it, then "
                "accept the slice."
            )
        return stray != 0

    def _see_edits(self) -> None:
        """Save accepted slices at once that changed, be they on screen or not.

        A tool may have changed them with others, or a mark that took its time; saving lets their
        states follow.
        """
        accepted = [i for i in self._edited.take() if self.session.states[i].is_accepted]
        for index in accepted:
            if self._refuses(np.asarray(self.mask.data[self.session.masks.place(index)])):
                self._mark(index, ReviewState.TODO)
        if accepted:
            self.autosave.save(accepted)

    def _follow_states(self, _: Any = None) -> None:
        if self.queue.states != self.session.states:
            self._queue_again()

    def _on_edit(self, _: Any = None) -> None:
        self._look_soon()

    def _on_visible(self, _: Any = None) -> None:
        self.mask_shown.emit(self.mask.visible)

    def _on_name(self, _: Any = None) -> None:
        self.session.set_layers(mask=self.mask.name)

    def _on_move(self, _: Any = None) -> None:
        index = index_of(self.viewer, self.mask)
        if index != self.index:
            self.index = index
            self.moved.emit(index)
            self._look_soon()

    def _mark(self, index: int, state: ReviewState) -> None:
        if self.session.states[index] is not state:
            self.session.set_state(index, state)
            self._queue_again()
            self.decided.emit(index)

    def _queue_again(self) -> None:
        order = sorted_slices(self.session.predicted_dice, self._order)
        self.queue = Queue(order, self.session.states, self._shown)
        places = enumerate(np.ndindex(self.mask.data.shape[:-2]))
        states = self.queue.states
        note_decided(self.mask, (p for i, p in places if states[i] is not ReviewState.TODO))
        self.queue_changed.emit()

    def _planes(self) -> tuple[Any, Any, tuple[int, ...]]:
        """Return the prediction and the labels of the slice on screen, and its place."""
        place = place_of(self.viewer, self.mask)
        if self._baseline.take_segmented(self.index):
            self._queue_again()
        return self._baseline.of(self.index), np.asarray(self.mask.data[place]), place
