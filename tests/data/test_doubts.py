"""Signs that masks can hardly be meant."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.data.batches import largest_shares
from napari_unet_seg.data.doubts import doubts, joined

NAMED = (Category(id=7, name="lesion"),)


def slice_of(pixels: int, ignored: int = 0) -> np.ndarray:
    """A slice of 10,000 pixels with so many of the label 1."""
    labels = np.zeros(10_000, np.uint8)
    labels[:pixels] = 1
    labels[len(labels) - ignored :] = IGNORE_INDEX
    return labels.reshape(100, 100)


@pytest.mark.parametrize(
    ("slices", "doubtful"),
    [
        ([slice_of(9), slice_of(0)], True),
        ([slice_of(9), slice_of(10)], False),
        ([slice_of(9, ignored=9000)], False),
        ([slice_of(0)], False),
    ],
)
def test_a_category_under_a_thousandth_of_every_slice_is_doubtful(
    slices: list[np.ndarray], doubtful: bool
) -> None:
    found = doubts(NAMED, largest_shares(slices))
    assert ("lesion" in found) == bool(found) == doubtful


@pytest.mark.parametrize(
    ("categories", "doubtful"),
    [
        (numbered_categories(99), False),
        (numbered_categories(100), True),
        ([Category(id=i, name=f"region {i}") for i in range(1, 201)], False),
    ],
)
def test_a_hundred_categories_without_names_are_doubtful(categories, doubtful) -> None:
    found = doubts(categories, largest_shares([slice_of(500)]))
    assert ("name no categories" in found) == bool(found) == doubtful


def test_many_names_are_counted() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"], "or") == "a or b"
    assert joined(list("abcdef")) == "a, b, c and 3 more"
