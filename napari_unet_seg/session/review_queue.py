"""The review queue: the order of slices or scans, and their review states."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ReviewState(StrEnum):
    """The reviewer's decision on a slice."""

    TODO = "to do"
    ACCEPTED = "accepted"
    """Right as predicted."""
    CORRECTED = "corrected"
    """Right after an edit."""
    SKIPPED = "skipped"
    FLAGGED = "flagged"
    """Needs a second review, and counts as not reviewed until then."""

    @property
    def is_accepted(self) -> bool:
        """Whether the mask is right and can be trained on."""
        return self in (ReviewState.ACCEPTED, ReviewState.CORRECTED)

    @property
    def is_reviewed(self) -> bool:
        """Whether the slice needs no further decision."""
        return self not in (ReviewState.TODO, ReviewState.FLAGGED)


def accepted_state(as_predicted: bool) -> ReviewState:
    """Return the state of an accepted slice: accepted as predicted, else corrected."""
    return ReviewState.ACCEPTED if as_predicted else ReviewState.CORRECTED


class Order(StrEnum):
    """The order of the slices in a review."""

    AS_STORED = "in order"
    WORST_FIRST = "worst first"


def finite_score(value: float | None) -> float | None:
    """Return a predicted Dice that JSON can hold: None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def sorted_slices(scores: Sequence[float | None], order: Order) -> tuple[int, ...]:
    """Return the indices of slices in an order.

    Parameters
    ----------
    scores : sequence of float or None
        Predicted Dice of each slice; None or NaN for slices without one.
    order : Order
        Worst first: slices without a score come last, and equal scores keep their stored order.
    """
    if order is Order.AS_STORED:
        return tuple(range(len(scores)))
    keys = [math.inf if s is None else s for s in map(finite_score, scores)]
    return tuple(sorted(range(len(keys)), key=keys.__getitem__))


class Queue:
    """The slices in their order, and the rows that a filter shows; immutable.

    Parameters
    ----------
    order : sequence of int
        Indices of all slices, from `sorted_slices`.
    states : sequence of ReviewState
        State of each slice.
    shown : ReviewState, optional
        The only state whose slices are shown; all states by default.
    """

    def __init__(
        self,
        order: Sequence[int] = (),
        states: Sequence[ReviewState] = (),
        shown: ReviewState | None = None,
    ) -> None:
        self.order, self.states, self.shown = order, states, shown
        self.rows = tuple(i for i in order if shown is None or states[i] is shown)
        """Indices of the shown slices, in their order."""
        self._rank = {index: rank for rank, index in enumerate(order)}
        self._shown_ranks = [self._rank[index] for index in self.rows]

    @property
    def counts(self) -> Counter[ReviewState]:
        """The number of slices in each state."""
        return Counter(self.states)

    @property
    def reviewed(self) -> int:
        """The number of slices that need no further decision."""
        return sum(count for state, count in self.counts.items() if state.is_reviewed)

    @property
    def todo(self) -> list[int]:
        """The slices to do, in their order."""
        return [i for i in self.order if self.states[i] is ReviewState.TODO]

    def row_of(self, index: int) -> int | None:
        """Return the row of a slice, None if the slice is not shown."""
        row = bisect_left(self._shown_ranks, self._rank[index])
        return row if row < len(self.rows) and self.rows[row] == index else None

    def step(self, index: int, by: int) -> int:
        """Return the slice `by` rows further, or back if `by` is negative.

        From a slice that is not shown, the first step goes to the nearest row in that direction.
        Past an end, the result is the last row there; without any row, the slice itself.
        """
        if not self.rows:
            return index
        find = bisect_right if by > 0 else bisect_left
        row = find(self._shown_ranks, self._rank[index]) + by - (by > 0)
        # Past an end, a slice that is not shown is the result itself.
        if self.row_of(index) is None and not 0 <= row < len(self.rows):
            return index
        return self.rows[min(max(row, 0), len(self.rows) - 1)]

    def following(self, index: int) -> int | None:
        """Return the next slice after one that was decided on; None if there is none.

        This is the next slice to do, or with a filter the next slice of the filter's state; after
        the last slice the search starts again at the first.
        """
        wanted = self.shown or ReviewState.TODO
        others = [i for i in self.order if self.states[i] is wanted and i != index]
        later = (i for i in others if self._rank[i] > self._rank[index])
        return next(later, others[0] if others else None)
