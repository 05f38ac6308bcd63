"""The open session: the slice on screen, its changes, the decisions and their saving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import qthrottled

from napari_unet_seg._napari.layers.edited_slices import EditedSlices
from napari_unet_seg._napari.layers.position import (
    go_to,
    go_to_lesion,
    index_of,
    off_screen_problem,
    place_of,
    shown_part,
)
from napari_unet_seg._napari.layers.prediction import maps_of, record_decided
from napari_unet_seg._napari.layers.undoable_edits import replace_slice
from napari_unet_seg._napari.session.autosave import Autosave
from napari_unet_seg._napari.session.changes_overlay import ChangesOverlay
from napari_unet_seg._napari.session.predictions import SessionPredictions
from napari_unet_seg._napari.session.slice_contents import SliceContents
from napari_unet_seg._napari.session.stored_layers import StoredLayers
from napari_unet_seg.io.disk.seen import saw
from napari_unet_seg.session.review_queue import (
    Order,
    Queue,
    ReviewState,
    accepted_state,
    sorted_slices,
)
from napari_unet_seg.session.slice_labels import slice_changes, stray_label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.coco.merge.keys import Keep
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.session import Session

_REFRESH_MS = 120


class OpenSession(QObject):
    """Connects a session with its layers, until `close`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    session : Session
        The session, which is held.
    image, mask : layers
        The layers of the session's scan and mask.
    """

    moved = Signal(int)
    """Emitted with the index of the new slice on screen."""
    turned = Signal()
    """Another plane of the volume may be on screen, or the volume in 3-D."""
    decided = Signal(int)
    """Emitted with the index of a slice whose state changed."""
    queue_changed = Signal()
    """The slices of the queue, their order, states or scores have changed."""
    changed = Signal(object)
    """Emitted with the `SliceChanges` of the slice on screen."""
    mask_shown = Signal(bool)
    """Emitted with whether the mask is visible."""
    predicted_again = Signal()
    """Slices to do have new predictions."""
    refused = Signal(str)
    """Emitted with the reason why an action was not done."""
    stray_found = Signal(int, int)
    """Emitted with a label of no category, for which an action was not done, and its slice."""

    def __init__(self, viewer: ViewerModel, session: Session, image: Image, mask: Labels) -> None:
        super().__init__()
        self.viewer, self.session, self.image, self.mask = viewer, session, image, mask
        self.autosave = Autosave(session, lambda: mask.data, self)
        self.overlay = ChangesOverlay(viewer, mask)
        self.index = index_of(viewer, mask)
        self.queue = Queue()
        self._order = Order.AS_STORED
        self._shown: ReviewState | None = None
        self._first: Collection[int] = ()
        self.contents = SliceContents(session, mask)
        self._predictions = SessionPredictions(session, mask, self.autosave)
        self._edited = EditedSlices(mask)
        self._update_changes_soon = qthrottled(
            self.update_changes, timeout=_REFRESH_MS, leading=False, parent=self
        )
        self.autosave.minute.connect(self._save_edits)
        self.autosave.saved.connect(self._follow_states)
        self._stored = StoredLayers(session, image, mask, self)
        self._stored.changed.connect(self._on_categories)
        events, dims = mask.events, viewer.dims.events
        self._connections = (
            (events.paint, self._on_edit),
            (events.labels_update, self._on_edit),
            (events.set_data, self._on_edit),
            (events.visible, self._on_visible),
            (dims.point, self._on_move),
            (dims.order, self._on_turn),
            (dims.ndisplay, self._on_turn),
        )
        for emitter, callback in self._connections:
            emitter.connect(callback)
        viewer.layers.selection.active = mask
        self.arrange(Order.AS_STORED, None)

    def arrange(self, order: Order, shown: ReviewState | None) -> None:
        """Set the order of the queue, and the state of the slices to show; None for all."""
        self._order, self._shown = order, shown
        self._sort_queue()

    def accept(self) -> None:
        """Accept the slice on screen, as corrected if it was edited, and go to the next to do."""
        if self._on_screen():
            state = self.state_if_accepted(self.index)
            if state is not None:
                self.decide(state)

    def decide(self, state: ReviewState) -> None:
        """Set the state of the slice on screen, save it, and go to the next to do."""
        if not self._on_screen():
            return
        index = self.index
        self.mark({index: state})
        self.autosave.save((index,))
        following = self._following(index)
        if following is not None:
            self.go_to(following)

    def look_first(self, slices: Collection[int]) -> None:
        """Go to some slices before the others after a decision, the least certain first."""
        self._first = slices
        self.refresh_queue()

    def mark(self, states: Mapping[int, ReviewState]) -> None:
        """Set the states of slices, without saving their masks."""
        before = self.session.states
        changes = {i: state for i, state in states.items() if before[i] is not state}
        if changes:
            self.session.set_states(changes)
            self._sort_queue()
            for index in changes:
                self.decided.emit(index)

    def state_if_accepted(self, index: int) -> ReviewState | None:
        """Return the state that a slice gets when it is accepted.

        None, after `refused`, if the slice holds labels of no category.
        """
        place = self.session.masks.place(index)
        labels = np.asarray(self.mask.data[place])
        if self._refuses(index):
            return None
        self._predictions.update_from_segment(place)
        return accepted_state(np.array_equal(self._predictions.read(place), labels))

    def stray_on(self, index: int) -> int:
        """Return a label on a slice that is no category; 0 if there is none."""
        labels = np.asarray(self.mask.data[self.session.masks.place(index)])
        return stray_label(labels, len(self.session.categories))

    def step(self, by: int) -> None:
        """Go some rows of the queue forward, or back if negative."""
        self.go_to(self.queue.step(self.index, by))

    def go_to_first(self) -> None:
        """Go to the first slice to do of the queue."""
        self.go_to(next(iter(self.queue.todo), self.index))

    def go_on(self) -> None:
        """Show the slice to do after the last that was decided, where the user left.

        If none was decided, or all were, show the lesion.
        """
        todo = ReviewState.TODO
        decided = [i for i in self.queue.order if self.queue.states[i] is not todo]
        following = self.queue.following(decided[-1]) if decided else None
        if following is None:
            go_to_lesion(self.viewer, self.mask)
        else:
            self.go_to(following)

    def go_to(self, index: int) -> None:
        """Show a slice."""
        go_to(self.viewer, self.mask, index)

    def revert(self) -> None:
        """Restore the prediction of the slice on screen, as one step of undo."""
        if self._on_screen():
            place = place_of(self.viewer, self.mask)
            replace_slice(self.mask, self._predictions.read(place), place)

    def replace_prediction(
        self, index: int, labels: Any, dice: float, *, on_screen: bool = False
    ) -> bool:
        """Replace a slice of the mask by a later prediction, unless the slice was edited.

        The slice's maps, of probabilities for example, are emptied, because they are of the
        previous model. Slices with a decision, slices that came from a file, and locked categories
        are not replaced. The replacement is no step of undo.

        Parameters
        ----------
        index : int
            Index of the slice.
        labels : array
            uint8 labels, of shape (Y, X).
        dice : float
            Predicted Dice.
        on_screen : bool
            Whether the slice on screen may be replaced too.

        Returns
        -------
        bool
            Whether the slice was replaced.
        """
        is_free = on_screen or index != self.index
        wanted = self.session.states[index] is ReviewState.TODO and is_free
        if not wanted or not self._predictions.is_untouched(index):
            return False
        self._predictions.replace(index, labels, dice)
        for layer in maps_of(self.viewer, self.mask):
            layer.data[self.session.masks.place(index)] = 0
        return True

    def refresh_queue(self) -> None:
        """Sort the queue by the new scores, and draw the new predictions."""
        self._sort_queue()
        for layer in (self.mask, *maps_of(self.viewer, self.mask)):
            layer.refresh()  # another orientation or the volume may be on screen
        self.predicted_again.emit()

    def show_changes(self, shown: bool) -> None:
        """Show or hide the layer of changes."""
        if shown:
            self.overlay.show()
            self.update_changes()
        else:
            self.overlay.hide()

    def show_mask(self, shown: bool) -> None:
        """Show or hide the mask, whichever layer is selected."""
        if self.mask.visible != shown:  # setting it redraws the layer
            self.mask.visible = shown

    def update_changes(self) -> None:
        """Compare the slice on screen with its prediction, and show the changes of the plane."""
        place = place_of(self.viewer, self.mask)
        part: Part = place
        if self.overlay.shown and not off_screen_problem(self.viewer, self.mask):
            part = shown_part(self.viewer, self.mask)
        if self._predictions.update_from_segment(part):
            self._sort_queue()
        prediction, labels = self._predictions.read(place), np.asarray(self.mask.data[place])
        self._save_edits()
        if self.session.states[self.index].is_accepted:
            # An edit or an undo may have followed the decision.
            self.mark({self.index: accepted_state(np.array_equal(prediction, labels))})
        if self.overlay.shown:
            self.overlay.update(
                self._predictions.read(part), np.asarray(self.mask.data[part]), part
            )
        self.changed.emit(slice_changes(prediction, labels))

    def save(self) -> bool:
        """Write all changes and wait; return whether they are on disk."""
        self._save_edits()
        return self.autosave.finish()

    def keep(self, path: Path, version: Keep) -> None:
        """Settle a file of the session that was changed here and by another program.

        Parameters
        ----------
        path : Path
            The file of the `ChangedError`.
        version : str
            "mine" to write over it, "theirs" to show what it holds, which is one step of undo.
        """
        if version == "mine":
            saw(path)
            return
        index = self.session.take_from_disk(path)
        if index is None:
            self._follow_states()
        else:
            replace_slice(
                self.mask, self.session.masks.read(index), self.session.masks.place(index)
            )

    def close(self) -> None:
        """Save and close the session, and disconnect from the layers."""
        self._save_edits()
        for emitter, callback in self._connections:
            emitter.disconnect(callback)
        self._stored.close()
        self._update_changes_soon.cancel()
        self._edited.close()
        self.overlay.hide()
        self.autosave.close()
        self._follow_states()
        record_decided(self.mask, ())
        self.session.close()

    def _following(self, index: int) -> int | None:
        """Return the slice to go to after a decision on one; None if there is none."""
        scores = self.session.predicted_dice
        known = {i: score for i, score in enumerate(scores) if score is not None}
        first = [i for i in self.queue.todo if i in self._first and i in known and i != index]
        return min(first, key=known.__getitem__) if first else self.queue.following(index)

    def _on_screen(self) -> bool:
        """Whether the viewer shows a slice of the mask; if not, emit the reason."""
        problem = off_screen_problem(self.viewer, self.mask)
        if problem:
            self.refused.emit(problem)
        return not problem

    def _refuses(self, index: int) -> bool:
        """Whether a slice holds labels of no category; if so, emit the reason.

        Such labels cannot be trained on or written as COCO.
        """
        stray = self.stray_on(index)
        if stray:
            self.refused.emit(
                f"A slice holds the label {stray}, which is no category; add one for it, or paint "
                "over it, then accept the slice."
            )
            self.stray_found.emit(stray, index)
        return stray != 0

    def _save_edits(self) -> None:
        """Save accepted slices that were edited, on screen or not, which updates their states.

        A tool may have edited them with other slices, or a prompt whose computation took a while.
        """
        self.contents.update()
        accepted = [i for i in self._edited.take() if self.session.states[i].is_accepted]
        for index in accepted:
            if self._refuses(index):
                self.mark({index: ReviewState.TODO})
        if accepted:
            self.autosave.save(accepted)

    def _follow_states(self, _: Any = None) -> None:
        if self.queue.states != self.session.states:
            self._sort_queue()

    def _on_edit(self, _: Any = None) -> None:
        self._update_changes_soon()

    def _on_categories(self, are_others: bool) -> None:
        if are_others:
            self._predictions.forget()
        self._update_changes_soon()

    def _on_visible(self, _: Any = None) -> None:
        self.mask_shown.emit(self.mask.visible)

    def _on_move(self, _: Any = None) -> None:
        index = index_of(self.viewer, self.mask)
        if index != self.index:
            self.index = index
            self.moved.emit(index)
        self._update_changes_soon()

    def _on_turn(self, _: Any = None) -> None:
        self.turned.emit()
        self._update_changes_soon()

    def _sort_queue(self) -> None:
        order = sorted_slices(self.session.predicted_dice, self._order)
        self.queue = Queue(order, self.session.states, self._shown)
        places = enumerate(np.ndindex(self.mask.data.shape[:-2]))
        states = self.queue.states
        record_decided(self.mask, (p for i, p in places if states[i] is not ReviewState.TODO))
        self.queue_changed.emit()
