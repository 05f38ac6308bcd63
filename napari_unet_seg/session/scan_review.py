"""How far the review of a scan is, from what was decided about its slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg.session.review_queue import ReviewState, known_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.session.review_queue import Queue

_TELLING = (ReviewState.TODO, ReviewState.FLAGGED, ReviewState.CORRECTED, ReviewState.ACCEPTED)
"""States of which one slice is enough for the scan to be in it, the first that is found."""

_LONGEST = 30
"""Characters of a name in a sentence."""


@dataclass(frozen=True, slots=True)
class ScanReview:
    """What is known of a scan; of one without a session nothing."""

    state: ReviewState = ReviewState.TODO
    decided: int = 0
    """Slices that are not to do any more."""
    total: int = 0
    """Slices, 0 where nobody has counted them."""
    dice: float | None = None
    """Mean of the predicted Dice of those slices that have one."""

    @property
    def words(self) -> str:
        """State, or how many slices are decided where some are and others are to do."""
        begun = self.state is ReviewState.TODO and self.decided > 0
        return f"{self.decided} of {self.total}" if begun else str(self.state)


def scan_review(states: Sequence[ReviewState], figures: Sequence[float | None] = ()) -> ScanReview:
    """Sum up the slices of a scan.

    Parameters
    ----------
    states : sequence of ReviewState
        One a slice.
    figures : sequence of float or None, optional
        Predicted Dice of slices; None or NaN where it is not known.
    """
    known = [figure for figure in map(known_figure, figures) if figure is not None]
    return ScanReview(
        state_of(states),
        sum(state is not ReviewState.TODO for state in states),
        len(states),
        sum(known) / len(known) if known else None,
    )


def state_of(states: Sequence[ReviewState]) -> ReviewState:
    """Return the state of a scan: to do while any of its slices is, flagged if any of them is.

    Else it is corrected or accepted if any slice is, and skipped if all are.
    """
    if not states:
        return ReviewState.TODO
    present = set(states)
    return next((state for state in _TELLING if state in present), ReviewState.SKIPPED)


def what_next(queue: Queue, at: int, names: Sequence[str], key: str) -> str:
    """Tell that nothing is to do in a scan, and where work goes on.

    Parameters
    ----------
    queue : Queue
        Of scans.
    at : int
        The scan, all of whose slices are decided.
    names : sequence of str
        Of the scans.
    key : str
        Button and key that go one row on.
    """
    flagged = queue.states[at] is ReviewState.FLAGGED
    done = "This scan is done but for its flagged slices" if flagged else "This scan is done"
    wanted, following = queue.shown or ReviewState.TODO, queue.following(at)
    if following is None:
        return f"{done}, and no other is {wanted}."
    if queue.step(at, 1) == following:
        return f"{done}; {key} opens {_short(names[following])}, the next {wanted}."
    return f"{done}; the next {wanted} is {_short(names[following])}, in the list of scans."


def _short(name: str) -> str:
    """Cut the middle out of a name that would be wider than the sentence."""
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"
