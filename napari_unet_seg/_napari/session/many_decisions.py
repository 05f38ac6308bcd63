"""Decisions on many slices of an open session at once, which can be taken back in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.session.slices.contents import SliceContent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.session.review_queue import ReviewState


class ManyDecisions:
    """Accepts many slices of a session, and takes that back.

    Parameters
    ----------
    open_session : OpenSession
        The session.
    """

    def __init__(self, open_session: OpenSession) -> None:
        self._open_session = open_session
        self._before: dict[int, ReviewState] = {}
        """The states before the last step, by slice."""

    @property
    def _todo(self) -> list[int]:
        return self._open_session.decisions.queue.todo

    def empty(self) -> list[int]:
        """Return the slices to do that are empty, but not those that were not segmented yet."""
        contents = self._open_session.contents
        return [i for i in self._todo if contents.of(i) is SliceContent.EMPTY]

    def predicted_from(self, dice: float) -> list[int]:
        """Return the slices to do with at least a predicted Dice."""
        scores = enumerate(self._open_session.session.predicted_dice)
        good = {i for i, score in scores if score is not None and score >= dice}
        return [i for i in self._todo if i in good]

    def acceptable(self, slices: Sequence[int]) -> list[int]:
        """Return those of some slices that are to do or flagged, in their order."""
        states = self._open_session.session.states
        return [i for i in slices if not states[i].is_reviewed]

    def accept(self, slices: Sequence[int]) -> int:
        """Accept slices, as corrected if they were edited; return their number.

        Slices with labels of no category are left out.
        """
        current, states = self._open_session, self._open_session.session.states
        found = {i: current.decisions.state_if_accepted(i) for i in slices}
        accepted = {i: state for i, state in found.items() if state is not None}
        if accepted:
            self._before = {i: states[i] for i in accepted}
            current.decisions.mark(accepted)
            current.autosave.save(tuple(accepted))
        return len(accepted)

    @property
    def to_take_back(self) -> list[int]:
        """The slices of the last step that are still accepted."""
        states = self._open_session.session.states
        return [i for i in self._before if states[i].is_accepted]

    def take_back(self) -> int:
        """Restore the states before the last step; return the number of slices.

        Slices that were decided on since keep that decision; masks do not change.
        """
        slices, before, self._before = self.to_take_back, self._before, {}
        self._open_session.decisions.mark({i: before[i] for i in slices})
        self._open_session.autosave.save(())  # only the states
        return len(slices)
