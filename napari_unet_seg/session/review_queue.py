"""Which slices are reviewed in which order, and what was decided about them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ReviewState(StrEnum):
    """What the reviewer decided about a slice."""

    TODO = "to do"
    ACCEPTED = "accepted"
    """Right as it was predicted."""
    CORRECTED = "corrected"
    """Right after it was edited."""
    SKIPPED = "skipped"
    FLAGGED = "flagged"
    """Needs a second look, and counts as not reviewed until then."""

    @property
    def is_accepted(self) -> bool:
        """Whether the mask is right, so that it can be trained on."""
        return self in (ReviewState.ACCEPTED, ReviewState.CORRECTED)

    @property
    def is_reviewed(self) -> bool:
        """Whether nothing remains to be done."""
        return self not in (ReviewState.TODO, ReviewState.FLAGGED)


def accepted_state(as_predicted: bool) -> ReviewState:
    """Return the state of an accepted slice, which says whether it was edited."""
    return ReviewState.ACCEPTED if as_predicted else ReviewState.CORRECTED


class Order(StrEnum):
    """In which order slices are gone through."""

    AS_STORED = "in order"
    WORST_FIRST = "worst first"


def known_figure(value: float | None) -> float | None:
    """Return a predicted Dice as JSON can hold it: None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def sorted_slices(figures: Sequence[float | None], order: Order) -> tuple[int, ...]:
    """Put slices in an order.

    Parameters
    ----------
    figures : sequence of float or None
        Predicted Dice, one a slice; None or NaN where it is not known.
    order : Order
        Worst first: slices without a figure come last, and equal ones as they are stored.
    """
    if order is Order.AS_STORED:
        return tuple(range(len(figures)))
    known = [math.inf if f is None else f for f in map(known_figure, figures)]
    return tuple(sorted(range(len(known)), key=known.__getitem__))


class Queue:
    """The slices in their order, and those among them that a filter shows; never changed.

    Parameters
    ----------
    order : sequence of int
        All slices, as `sorted_slices` returns them.
    states : sequence of ReviewState
        One a slice.
    shown : ReviewState, optional
        The only state whose slices are shown; all are by default.
    """

    def __init__(
        self,
        order: Sequence[int] = (),
        states: Sequence[ReviewState] = (),
        shown: ReviewState | None = None,
    ) -> None:
        self.order, self.states, self.shown = order, states, shown
        self.rows = tuple(i for i in order if shown is None or states[i] is shown)
        """Slices that are shown."""
        self._rank = {index: rank for rank, index in enumerate(order)}
        self._shown_ranks = [self._rank[index] for index in self.rows]

    @property
    def counts(self) -> Counter[ReviewState]:
        """How many slices are in each state."""
        return Counter(self.states)

    @property
    def reviewed(self) -> int:
        """How many slices need nothing more."""
        return sum(count for state, count in self.counts.items() if state.is_reviewed)

    def row_of(self, index: int) -> int | None:
        """Return the row of a slice, None if it is not shown."""
        row = bisect_left(self._shown_ranks, self._rank[index])
        return row if row < len(self.rows) and self.rows[row] == index else None

    def step(self, index: int, by: int) -> int:
        """Return the slice some rows on, or back where `by` is negative.

        From a slice that is not shown, the first step goes to the row nearest in that direction.
        At either end it is the last slice there; the slice itself if none is shown.
        """
        if not self.rows:
            return index
        find = bisect_right if by > 0 else bisect_left
        row = find(self._shown_ranks, self._rank[index]) + by - (by > 0)
        # Past an end, a slice that is not shown stays where it is.
        if self.row_of(index) is None and not 0 <= row < len(self.rows):
            return index
        return self.rows[min(max(row, 0), len(self.rows) - 1)]

    def following(self, index: int) -> int | None:
        """Return where to go from a slice that was decided on; None if nothing is left.

        It is the next slice to do, or, among slices of one other state, the next of these; from
        the start again after the last one.
        """
        wanted = self.shown or ReviewState.TODO
        left = [i for i in self.order if self.states[i] is wanted and i != index]
        later = (i for i in left if self._rank[i] > self._rank[index])
        return next(later, left[0] if left else None)
