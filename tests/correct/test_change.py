from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.change import Change, change_to, join_changes, relabel

LABELS = np.array([0, 1, 1, 2, 3, IGNORE_INDEX], np.uint8)
ALL = [1, 1, 1, 1, 1, 1]


def put(labels: np.ndarray, change: Change) -> list[int]:
    result = labels.copy()
    result[change.indices] = change.values
    assert (labels[change.indices] != change.values).all(), "only what changes"
    assert change.values.dtype == labels.dtype
    return result.tolist()


@pytest.mark.parametrize(
    ("mask", "value", "locked", "expected"),
    [
        (ALL, 1, (), [1, 1, 1, 2, 3, IGNORE_INDEX]),
        (ALL, 3, (1, 2), [3, 1, 1, 2, 3, IGNORE_INDEX]),
        ([0, 0, 1, 0, 0, 0], 1, (), [0, 0, 1, 2, 3, IGNORE_INDEX]),
        ([0, 0, 0, 0, 0, 0], 1, (2,), [0, 0, 0, 2, 3, IGNORE_INDEX]),
        (ALL, 1, (1,), LABELS.tolist()),
        ([0, 0, 0, 0, 0, 0], 1, (1, 2), LABELS.tolist()),
        ([0, 1, 1, 0, 0, 0], 1, (), LABELS.tolist()),
    ],
)
def test_a_category_covers_its_mask_over_background_alone(
    mask: list[int], value: int, locked: tuple[int, ...], expected: list[int]
) -> None:
    assert put(LABELS, change_to(LABELS, np.array(mask, bool), value, locked)) == expected


def test_a_category_grows_over_the_labels_that_it_is_told_to() -> None:
    change = change_to(LABELS, np.array(ALL, bool), 1, (3,), (2, IGNORE_INDEX))
    assert put(LABELS, change) == [1, 1, 1, 1, 3, 1]


@pytest.mark.parametrize(
    ("value", "target", "locked", "expected"),
    [
        (1, 2, (), [0, 2, 2, 2, 3, IGNORE_INDEX]),
        (1, 2, (3,), [0, 2, 2, 2, 3, IGNORE_INDEX]),
        (1, 2, (1,), LABELS.tolist()),
        (1, 2, (2,), LABELS.tolist()),
        (1, 1, (), LABELS.tolist()),
    ],
)
def test_a_category_becomes_another(
    value: int, target: int, locked: tuple[int, ...], expected: list[int]
) -> None:
    assert put(LABELS, relabel(LABELS, value, target, locked)) == expected


def test_labels_that_changed_meanwhile_stay() -> None:
    change = change_to(LABELS, np.array(ALL, bool), 1)
    now = LABELS.copy()
    now[0] = 3
    assert change.values.tolist() == [1]
    assert not change.where_equal(LABELS, now).values.size
    assert put(LABELS, change.where_equal(LABELS, LABELS)) == put(LABELS, change)


def test_changes_of_slices_are_one_of_the_volume() -> None:
    labels = np.zeros((3, 2, 6), np.uint16)
    labels[1] = LABELS
    parts = [
        change_to(labels[i], np.eye(2, 6, 1, bool), i + 1).at((i,)) for i in range(len(labels))
    ]
    result = np.array(put(labels, join_changes(parts, 3)))
    assert [(result == value).sum() for value in (1, 2, 3)] == [2 + 4, 0, 2 + 2]
    assert join_changes([], 3).values.size == 0
    np.testing.assert_array_equal(labels[join_changes([], 3).indices], [])
