"""The decisions on the slices of the open session, and the queue of the slices still to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.prediction import record_decided
from napari_unet_seg.session.review_queue import (
    Order,
    Queue,
    ReviewState,
    accepted_state,
    sorted_slices,
)
from napari_unet_seg.session.slice_labels import stray_label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from napari.layers import Labels

    from napari_unet_seg._napari.session.autosave import Autosave
    from napari_unet_seg._napari.session.slices.predictions import SessionPredictions
    from napari_unet_seg._napari.session.slices.shown_slice import ShownSlice
    from napari_unet_seg.session.session import Session


class Decisions(QObject):
    """Decides on slices, and goes from one to the next to do.

    Parameters
    ----------
    session : Session
        The session, which stores the states of the slices.
    mask : Labels
        The layer of the session's mask.
    shown : ShownSlice
        The slice on screen.
    predictions : SessionPredictions
        What a slice is compared with when it is accepted.
    autosave : Autosave
        Saves the slices that are decided on.
    parent : QObject
        Owner of this object.
    """

    decided = Signal(int)
    """Emitted with the index of a slice whose state changed."""
    queue_changed = Signal()
    """The slices of the queue, their order, states or scores have changed."""
    refused = Signal(str)
    """Emitted with the reason why a slice was not accepted."""
    stray_found = Signal(int, int)
    """Emitted with a label of no category, for which a slice was not accepted, and the slice."""

    def __init__(
        self,
        session: Session,
        mask: Labels,
        shown: ShownSlice,
        predictions: SessionPredictions,
        autosave: Autosave,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._mask, self._shown = session, mask, shown
        self._predictions, self._autosave = predictions, autosave
        self.queue = Queue()
        self._order = Order.AS_STORED
        self._filter: ReviewState | None = None
        self._first: Collection[int] = ()
        autosave.saved.connect(self.follow_states)

    def arrange(self, order: Order, shown: ReviewState | None) -> None:
        """Set the order of the queue, and the state of the slices to show; None for all."""
        self._order, self._filter = order, shown
        self.refresh()

    def look_first(self, slices: Collection[int]) -> None:
        """Go to some slices before the others after a decision, the least certain first."""
        self._first = slices

    def refresh(self) -> None:
        """Sort the queue by the present scores and states."""
        order = sorted_slices(self._session.predicted_dice, self._order)
        self.queue = Queue(order, self._session.states, self._filter)
        places = enumerate(np.ndindex(self._mask.data.shape[:-2]))
        states = self.queue.states
        record_decided(self._mask, (p for i, p in places if states[i] is not ReviewState.TODO))
        self.queue_changed.emit()

    def follow_states(self, _: Any = None) -> None:
        """Sort the queue if the session has other states than the queue."""
        if self.queue.states != self._session.states:
            self.refresh()

    def accept(self) -> None:
        """Accept the slice on screen, as corrected if it was edited, and go to the next to do."""
        if self._shown.check():
            state = self.state_if_accepted(self._shown.index)
            if state is not None:
                self.decide(state)

    def decide(self, state: ReviewState) -> None:
        """Set the state of the slice on screen, save it, and go to the next to do."""
        if not self._shown.check():
            return
        index = self._shown.index
        self.mark({index: state})
        self._autosave.save((index,))
        following = self._following(index)
        if following is not None:
            self._shown.go_to(following)

    def mark(self, states: Mapping[int, ReviewState]) -> None:
        """Set the states of slices, without saving their masks."""
        before = self._session.states
        changes = {i: state for i, state in states.items() if before[i] is not state}
        if changes:
            self._session.set_states(changes)
            self.refresh()
            for index in changes:
                self.decided.emit(index)

    def state_if_accepted(self, index: int) -> ReviewState | None:
        """Return the state that a slice gets when it is accepted.

        None, after `refused`, if the slice holds labels of no category.
        """
        place = self._session.masks.place(index)
        labels = np.asarray(self._mask.data[place])
        if self._refuses(index):
            return None
        self._predictions.update_from_segment(place)
        return accepted_state(np.array_equal(self._predictions.read(place), labels))

    def follow_edit(self, index: int, as_predicted: bool) -> None:
        """Set the state of an accepted slice by its mask, after an edit or an undo."""
        if self._session.states[index].is_accepted:
            self.mark({index: accepted_state(as_predicted)})

    def save_edited(self, slices: Collection[int]) -> None:
        """Save the accepted ones of edited slices, which updates their states.

        Slices that now hold labels of no category are to do again.
        """
        accepted = [i for i in slices if self._session.states[i].is_accepted]
        for index in accepted:
            if self._refuses(index):
                self.mark({index: ReviewState.TODO})
        if accepted:
            self._autosave.save(accepted)

    def stray_on(self, index: int) -> int:
        """Return a label on a slice that is no category; 0 if there is none."""
        labels = np.asarray(self._mask.data[self._session.masks.place(index)])
        return stray_label(labels, len(self._session.categories))

    def step(self, by: int) -> None:
        """Go some rows of the queue forward, or back if negative."""
        self._shown.go_to(self.queue.step(self._shown.index, by))

    def go_to_first(self) -> None:
        """Go to the first slice to do of the queue."""
        self._shown.go_to(next(iter(self.queue.todo), self._shown.index))

    def go_on(self) -> None:
        """Show the slice to do after the last that was decided, where the user left.

        If none was decided, or all were, show the lesion.
        """
        todo = ReviewState.TODO
        decided = [i for i in self.queue.order if self.queue.states[i] is not todo]
        following = self.queue.following(decided[-1]) if decided else None
        if following is None:
            self._shown.go_to_lesion()
        else:
            self._shown.go_to(following)

    def close(self) -> None:
        """Show the states of the last save, and forget which slices of the mask were decided."""
        self.follow_states()
        record_decided(self._mask, ())

    def _following(self, index: int) -> int | None:
        """Return the slice to go to after a decision on one; None if there is none."""
        scores = self._session.predicted_dice
        known = {i: score for i, score in enumerate(scores) if score is not None}
        first = [i for i in self.queue.todo if i in self._first and i in known and i != index]
        return min(first, key=known.__getitem__) if first else self.queue.following(index)

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
