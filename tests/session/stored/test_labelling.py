"""Labels of a session's files, after categories were removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.labelling import Labelling

if TYPE_CHECKING:
    from pathlib import Path

THREE = tuple(Category(id=i, name=name) for i, name in ((7, "core"), ("rim", "rim"), (2, "oedema")))
STORED = np.array([0, 1, 2, 3, 4, IGNORE_INDEX], np.uint8)
LABELLINGS = {
    "as it was": (Labelling((7, "rim", 2), (7, "rim", 2)), [0, 1, 2, 3, 4, IGNORE_INDEX]),
    "added": (Labelling((7, "rim", 2, 9), (7, "rim", 2)), [0, 1, 2, 3, 4, IGNORE_INDEX]),
    "background": (Labelling(("rim", 2), (7, "rim", 2), ((7, None),)), [0, 0, 1, 2, 4, 255]),
    "merged": (Labelling((7, 2), (7, "rim", 2), (("rim", 2),)), [0, 1, 2, 2, 4, 255]),
    "twice": (Labelling((2,), (7, "rim", 2), ((7, "rim"), ("rim", 2))), [0, 1, 1, 1, 4, 255]),
    "undone": (Labelling((7, "rim", 2), (7, "rim", 2), ((7, 2),)), [0, 1, 2, 3, 4, 255]),
}


@pytest.mark.parametrize("name", LABELLINGS)
def test_labels_of_earlier_files_become_present_ones(name: str) -> None:
    labelling, expected = LABELLINGS[name]
    assert labelling.convert(STORED, {}).tolist() == expected


def test_files_tell_the_categories_they_were_written_with() -> None:
    labelling = Labelling(("rim", 2), (7, "rim", 2), ((7, None),))
    description = labelling.description()
    assert labelling.convert(STORED, description).tolist() == STORED.tolist()
    later = Labelling((2,), (7, "rim", 2), ((7, None), ("rim", 2)))
    assert later.convert(STORED[:3], description).tolist() == [0, 1, 1]


def test_a_session_that_was_ended_between_slices_and_record_is_read_right(tmp_path: Path) -> None:
    scan = Scan(np.ones((2, 3, 4), np.uint8), "ZYX")
    labels = np.broadcast_to(np.array([0, 1, 2, 3], np.uint8), (2, 3, 4)).copy()
    session = Session.create(tmp_path / "s", scan, THREE, labels)
    session.set_categories(THREE[1:], ((7, None),))
    session.save()
    assert Session.open(tmp_path / "s").load_mask()[0, 0].tolist() == [0, 0, 1, 2]
    removed = np.where(labels > 1, labels - 1, 0)
    session.save_mask(removed, [0])
    again = Session.open(tmp_path / "s")
    assert again.categories == THREE[1:]
    np.testing.assert_array_equal(again.load_mask(), removed)
    np.testing.assert_array_equal(again.prediction, removed)
    again.set_categories(THREE)  # the removal is undone
    np.testing.assert_array_equal(again.prediction, labels)
