from __future__ import annotations

import pytest

from napari_unet_seg.session.review_queue import Queue, ReviewState
from napari_unet_seg.session.scan_review import ScanReview, next_scan_note, scan_review, state_of

T, A, C, S, F = ReviewState
NAN = float("nan")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), T),
        ((T, T), T),
        ((A, C, S, F, T), T),
        ((A, C, S, F), F),
        ((F, F), F),
        ((S, A, C), C),
        ((S, A), A),
        ((A, A), A),
        ((S, S), S),
    ],
)
def test_state_of_a_scan(states: tuple[ReviewState, ...], expected: ReviewState) -> None:
    assert state_of(states) is expected


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ((), "to do"),
        ((T, T, T), "to do"),
        ((T, A, F), "2 of 3"),
        ((F, A, S), "flagged"),
        ((S, S), "skipped"),
        ((S, C), "corrected"),
        ((S, A), "accepted"),
    ],
)
def test_words(states: tuple[ReviewState, ...], words: str) -> None:
    assert scan_review(states).text == words


@pytest.mark.parametrize(
    ("figures", "dice"),
    [((), None), ((None, NAN), None), ((0.5, None, 1.0, NAN), 0.75), ((0.0, None, None), 0.0)],
)
def test_dice_is_the_mean_of_what_is_known(
    figures: tuple[float | None, ...], dice: float | None
) -> None:
    assert scan_review([T] * 4, figures).dice == dice


def test_a_scan_without_a_session_is_to_do() -> None:
    assert ScanReview() == scan_review(())


NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("states", "shown", "expected"),
    [
        ((T, A, T, T), None, "This scan is done; ▸ opens c, the next to do."),
        ((T, F, T, T), None, "This scan is done but for its flagged slices; ▸ opens c, the next"),
        ((T, A, A, T), None, "This scan is done; the next to do is d, in the list of scans."),
        ((T, A, A, T), T, "This scan is done; ▸ opens d, the next to do."),
        ((T, A, A, A), T, "This scan is done; the next to do is a, in the list of scans."),
        ((A, A, S, C), None, "This scan is done, and no other is to do."),
        ((T, A, T, F), F, "This scan is done; ▸ opens d, the next flagged."),
        ((T, A, T, A), F, "This scan is done, and no other is flagged."),
    ],
)
def test_where_work_goes_on(
    states: tuple[ReviewState, ...], shown: ReviewState | None, expected: str
) -> None:
    assert next_scan_note(Queue(range(4), states, shown), 1, NAMES, "▸").startswith(expected)


def test_work_goes_on_in_the_order_that_is_chosen() -> None:
    queue = Queue((2, 1, 3, 0), (T, A, T, T))
    assert next_scan_note(queue, 1, NAMES, "▸ [G]").endswith("▸ [G] opens d, the next to do.")
