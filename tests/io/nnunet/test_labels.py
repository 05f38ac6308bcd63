from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.nnunet.labels import ConsecutiveLabels


def test_labels_have_no_gaps_and_unreviewed_pixels_are_the_highest() -> None:
    labels = ConsecutiveLabels((1, 4, 10))
    given = np.array([0, 1, 4, 10, 255], np.uint8)
    assert labels.renumber(given[:4], "m").tolist() == [0, 1, 2, 3]
    assert "ignore" not in labels.named("abc")
    assert labels.renumber(given, "m").tolist() == [0, 1, 2, 3, 4]
    assert labels.named("abc") == {"background": 0, "a": 1, "b": 2, "c": 3, "ignore": 4}


def test_names_are_told_apart() -> None:
    named = ConsecutiveLabels((1, 2, 3)).named(["a", "a", "ignore"])
    assert named == {"background": 0, "a": 1, "a_2": 2, "ignore_2": 3}


def test_with_255_categories_the_value_is_one() -> None:
    labels = ConsecutiveLabels(range(1, 300))
    assert labels.renumber(np.array([255, 299]), "m").tolist() == [255, 299]
    assert not labels.holds_ignored


@pytest.mark.parametrize("value", [3, 11, 256])
def test_other_values_are_refused(value: int) -> None:
    with pytest.raises(DataError, match=f"^The mask of x holds the label {value}, "):
        ConsecutiveLabels((1, 4, 10)).renumber(np.array([0, value]), "The mask of x")
