"""Categories of a COCO document that were added, renamed or recoloured in the window."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.io.coco.categories import colours_in, with_categories

DOCUMENT: dict[str, Any] = {
    "info": {"year": 2024},
    "categories": [
        {"id": 4, "name": "lesion", "keypoints": ["a"], "color": [1, 2, 3]},
        {"id": "cyst", "supercategory": None},
        "damaged",
    ],
    "annotations": [{"id": 1}],
}
LESION, CYST = Category(id=4, name="lesion"), Category(id="cyst", name="cyst")
NEW = Category(id=5, name="oedema", supercategory="finding")


@pytest.mark.parametrize("wanted", [(), (LESION, CYST), (CYST,)])
def test_a_document_without_changes_stays(wanted: Any) -> None:
    assert with_categories(DOCUMENT, wanted, {"lesion": "#010203"}) is DOCUMENT


def test_only_what_was_changed_is_written() -> None:
    before = copy.deepcopy(DOCUMENT)
    wanted = (Category(id=4, name="tumour"), CYST, NEW)
    after = with_categories(DOCUMENT, wanted, {"cyst": "#ff8000"})
    assert before == DOCUMENT
    assert after["annotations"] is DOCUMENT["annotations"]
    assert after["categories"] == [
        {"id": 4, "name": "tumour", "keypoints": ["a"], "color": [1, 2, 3]},
        {"id": "cyst", "supercategory": None, "color": [255, 128, 0]},
        "damaged",
        {"id": 5, "name": "oedema", "supercategory": "finding"},
    ]


def test_colours_that_are_none_are_left_out() -> None:
    colours: list[Any] = [[1, 2, 3], [1, 2], "red", [1, 2, 300], None]
    items = [{"id": i, "name": str(i), "color": c} for i, c in enumerate(colours)]
    assert colours_in({"categories": items}) == {"0": "#010203"}
    assert colours_in({}) == {}
