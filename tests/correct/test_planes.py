"""Changes of planes other than slices, as changes of the whole array."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.correct.change import Change
from napari_unet_seg.correct.tools import ToolSettings, apply_threshold
from napari_unet_seg.io.common.places import Part, crossed_places, is_place, of_part

WHOLE = slice(None)
PARTS: list[Part] = [(), (1,), (WHOLE, 2), (WHOLE, WHOLE, 3), (1, WHOLE, 2), (0, 1)]


@pytest.mark.parametrize("part", PARTS)
def test_a_change_of_a_part_changes_that_part(part: Part) -> None:
    labels = np.zeros((2, 3, 4), np.uint8)
    indices = np.nonzero(np.ones(labels[part].shape))
    values = np.arange(1, 1 + labels[part].size, dtype=np.uint8)
    change = Change(indices, values).at(part)
    labels[change.indices] = change.values
    np.testing.assert_array_equal(labels[part].ravel(), values)
    assert np.count_nonzero(labels) == values.size


@pytest.mark.parametrize(
    ("part", "lengths", "crossed"),
    [
        ((1,), (3, 4), [(1,)]),
        ((WHOLE, 2), (2, 4), [(0,), (1,)]),
        ((WHOLE, WHOLE, 3), (2, 3), [(0,), (1,)]),
    ],
)
def test_lengths_and_slices_of_a_part(
    part: Part, lengths: tuple[int, ...], crossed: list[tuple[int, ...]]
) -> None:
    assert of_part((2, 3, 4), part) == lengths
    assert list(crossed_places(part, (2,))) == crossed
    assert is_place(part) is (part == (1,))


def test_a_threshold_leaves_slices_without_probabilities_on_any_plane() -> None:
    probability = np.zeros((4, 5, 6))
    probability[1] = 0.9
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[3] = 1
    part = (WHOLE, 2)
    operation = apply_threshold(ToolSettings(1, (), 1, (1.0, 1.0)), probability, 0.5)
    change = operation(labels[part], part).at(part)
    labels[change.indices] = change.values
    assert labels[:, 2].sum(1).tolist() == [0, 6, 0, 6]
