"""The review state of a scan, computed from the states of its slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg.session.review_queue import ReviewState, finite_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.session.review_queue import Queue

_PRECEDENCE = (ReviewState.TODO, ReviewState.FLAGGED, ReviewState.CORRECTED, ReviewState.ACCEPTED)
"""A scan has the first of these states that any of its slices has."""

_MAX_NAME = 30
"""Maximum number of characters of a name in a message."""


@dataclass(frozen=True, slots=True)
class ScanReview:
    """The review of a scan; the default values are those of a scan without a session."""

    state: ReviewState = ReviewState.TODO
    decided: int = 0
    """Number of slices with a decision."""
    total: int = 0
    """Number of slices, 0 for a scan without a session."""
    dice: float | None = None
    """Mean of the predicted Dice over the slices that have one."""

    @property
    def text(self) -> str:
        """The state; for a scan with decided slices and slices to do, the number of decisions."""
        begun = self.state is ReviewState.TODO and self.decided > 0
        return f"{self.decided} of {self.total}" if begun else str(self.state)


def scan_review(states: Sequence[ReviewState], scores: Sequence[float | None] = ()) -> ScanReview:
    """Return the review of a scan from its slices.

    Parameters
    ----------
    states : sequence of ReviewState
        State of each slice.
    scores : sequence of float or None, optional
        Predicted Dice of the slices; None or NaN for slices without one.
    """
    finite = [score for score in map(finite_score, scores) if score is not None]
    return ScanReview(
        state_of(states),
        sum(state is not ReviewState.TODO for state in states),
        len(states),
        sum(finite) / len(finite) if finite else None,
    )


def state_of(states: Sequence[ReviewState]) -> ReviewState:
    """Return the state of a scan: the first in `_PRECEDENCE` of its slices' states.

    A scan whose slices are all skipped is skipped.
    """
    if not states:
        return ReviewState.TODO
    present = set(states)
    return next((state for state in _PRECEDENCE if state in present), ReviewState.SKIPPED)


def next_scan_note(queue: Queue, at: int, names: Sequence[str], key: str) -> str:
    """Return a message that a scan is done, with the next scan to do.

    Parameters
    ----------
    queue : Queue
        The queue of scans.
    at : int
        Index of a scan without slices to do.
    names : sequence of str
        Names of the scans.
    key : str
        Button and key that open the next row.
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
    """Return a name without its middle if the name is long."""
    half = _MAX_NAME // 2
    return name if len(name) <= _MAX_NAME else f"{name[:half]}…{name[-half:]}"
