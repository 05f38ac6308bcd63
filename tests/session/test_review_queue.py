from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from growth import LINEAR, growth

from napari_unet_seg.session.review_queue import Order, Queue, ReviewState, sorted_slices

if TYPE_CHECKING:
    from collections.abc import Callable

T, A, C, S, F = ReviewState
NAN = float("nan")


@pytest.mark.parametrize(
    ("figures", "order", "expected"),
    [
        ([], Order.WORST_FIRST, ()),
        ([0.9, 0.1, 0.5], Order.AS_STORED, (0, 1, 2)),
        ([0.9, 0.1, 0.5], Order.WORST_FIRST, (1, 2, 0)),
        ([None, 0.5, NAN, 0.1, 1.0], Order.WORST_FIRST, (3, 1, 4, 0, 2)),
        ([0.5, 0.1, 0.5, 0.1], Order.WORST_FIRST, (1, 3, 0, 2)),
        ([None, NAN, None], Order.WORST_FIRST, (0, 1, 2)),
        ([0.0, None, 0.2], Order.WORST_FIRST, (0, 2, 1)),
    ],
)
def test_order(figures: list[float | None], order: Order, expected: tuple[int, ...]) -> None:
    assert sorted_slices(figures, order) == expected


@pytest.mark.parametrize(
    ("state", "accepted", "reviewed"),
    [(T, False, False), (A, True, True), (C, True, True), (S, False, True), (F, False, False)],
)
def test_states(state: ReviewState, accepted: bool, reviewed: bool) -> None:
    assert (state.is_accepted, state.is_reviewed) == (accepted, reviewed)


ORDER = (4, 2, 0, 1, 3)
STATES = (T, F, A, T, F)
"""In the order of the queue: flagged, accepted, to do, flagged, to do."""


@pytest.mark.parametrize(
    ("shown", "rows"), [(None, ORDER), (T, (0, 3)), (A, (2,)), (C, ()), (F, (4, 1))]
)
def test_a_filter_keeps_the_order(shown: ReviewState | None, rows: tuple[int, ...]) -> None:
    queue = Queue(ORDER, STATES, shown)
    assert queue.rows == rows
    assert [queue.row_of(i) for i in rows] == [*range(len(rows))]
    assert all(queue.row_of(i) is None for i in set(ORDER) - set(rows))
    assert (queue.counts[T], queue.counts[F], queue.counts[C], queue.reviewed) == (2, 2, 0, 1)
    assert queue.todo == [0, 3], "whatever the filter shows"


@pytest.mark.parametrize(
    ("shown", "index", "by", "expected"),
    [
        (None, 4, 1, 2),
        (None, 4, 2, 0),
        (None, 4, -1, 4),
        (None, 3, 1, 3),
        (None, 3, -1, 1),
        (None, 3, -9, 4),
        (F, 4, 1, 1),
        (F, 1, -1, 4),
        (F, 2, 1, 1),
        (F, 2, -1, 4),
        (F, 3, -1, 1),
        (F, 3, 1, 3),
        (C, 3, 1, 3),
        (C, 3, -1, 3),
    ],
)
def test_steps_go_by_rows(shown: ReviewState | None, index: int, by: int, expected: int) -> None:
    assert Queue(ORDER, STATES, shown).step(index, by) == expected


@pytest.mark.parametrize(
    ("states", "shown", "index", "expected"),
    [
        (STATES, None, 4, 0),
        (STATES, None, 0, 3),
        (STATES, None, 3, 0),
        (STATES, T, 1, 3),
        (STATES, F, 4, 1),
        (STATES, F, 2, 1),
        (STATES, F, 3, 4),
        (STATES, A, 2, None),
        ((A, F, A, T, F), None, 3, None),
        ((A, F, A, S, F), None, 1, None),
    ],
)
def test_after_a_decision(
    states: tuple[ReviewState, ...], shown: ReviewState | None, index: int, expected: int | None
) -> None:
    assert Queue(ORDER, states, shown).following(index) == expected


@pytest.mark.serial
def test_thousands_of_slices_take_linear_time() -> None:
    def prepare(count: int) -> Callable[[], Queue]:
        def work() -> Queue:
            figures = [i * 7919 % count / count for i in range(count)]
            queue = Queue(sorted_slices(figures, Order.WORST_FIRST), (T, F) * (count // 2), F)
            for index in queue.rows:
                queue.row_of(index)
                queue.step(index, 1)
            return queue

        return work

    assert len(prepare(20_000)().rows) == 10_000
    assert growth(prepare, 2_000) < LINEAR
