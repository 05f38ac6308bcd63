"""Changes of the categories of a layer, and their undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from scene import CATEGORIES, add_mask

from napari_unet_seg._napari.categories.edits import (
    add_category,
    default_name,
    listed_categories,
    move_category,
    recolour_category,
    rename_category,
)
from napari_unet_seg._napari.categories.removal import remove_category
from napari_unet_seg._napari.categories.swatches import colour_of_label
from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Labels

THREE = (*CATEGORIES, Category(id="x", name="cyst"))


def labels() -> np.ndarray:
    """Columns of background, three labels and unreviewed pixels, in two slices."""
    return np.broadcast_to(np.array([0, 1, 2, 3, IGNORE_INDEX], np.uint8), (2, 4, 5)).copy()


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def mask(viewer: ViewerModel) -> Labels:
    return add_mask(viewer, labels(), categories=THREE)


def names(mask: Any) -> list[str]:
    return [category.name for category in categories_of(mask)]


def row(mask: Any) -> list[int]:
    return mask.data[0, 0].tolist()


def test_a_category_is_added_after_the_others_with_an_id_of_its_own(
    viewer: ViewerModel, mask: Labels
) -> None:
    add_mask(viewer, labels(), "other", (Category(id=40, name="elsewhere"),))
    assert default_name(mask) == "category 4"
    assert add_category(mask, " vessel ", viewer.layers) == mask.selected_label == 4
    assert categories_of(mask) == (*THREE, Category(id="41", name="vessel"))
    assert mask.features["category"].tolist() == ["background", *names(mask)]
    assert colour_of_label(mask, 4).name() == category_colour("vessel")
    np.testing.assert_array_equal(mask.data, labels())


def test_a_label_beyond_the_next_becomes_the_next_in_one_step(
    viewer: ViewerModel, mask: Labels
) -> None:
    mask.data_setitem((np.array([0]), np.array([0]), np.array([0])), 9)
    assert add_category(mask, "vessel", viewer.layers, 9) == 4
    assert row(mask) == [4, 1, 2, 3, IGNORE_INDEX]
    mask.undo()
    assert row(mask) == [9, 1, 2, 3, IGNORE_INDEX]


@pytest.mark.parametrize(
    ("name", "reason"), [("", "needs a name"), ("Tumour", "There is a category Tumour already")]
)
def test_names_are_given_once(viewer: ViewerModel, mask: Labels, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        add_category(mask, name, viewer.layers)
    with pytest.raises(DataError, match=reason):
        rename_category(mask, 2, name)
    assert categories_of(mask) == THREE


def test_a_hand_drawn_layer_gets_categories(viewer: ViewerModel) -> None:
    mask = viewer.add_labels(np.zeros((4, 5), np.uint8))
    assert default_name(mask) == "category 1"
    add_category(mask, "lesion", viewer.layers, 1)
    assert categories_of(mask) == (Category(id=1, name="lesion"),)
    assert colour_of_label(mask, 1).name() == category_colour("lesion")


def test_a_drawn_label_keeps_its_value_when_the_next_is_named(viewer: ViewerModel) -> None:
    mask = viewer.add_labels(np.array([[0, 1], [2, 2]], np.uint8))
    add_category(mask, "rim", viewer.layers)
    assert names(mask) == ["label 1", "label 2", "rim"]
    rename_category(mask, 1, "core")
    assert names(mask) == ["core", "label 2", "rim"]


def test_a_renamed_category_keeps_id_colour_and_place(mask: Labels) -> None:
    before = category_colour("oedema")
    rename_category(mask, 2, "oedema, vasogenic")
    assert categories_of(mask)[1] == Category(id=9, name="oedema, vasogenic")
    assert colour_of_label(mask, 2).name() == before


def test_a_colour_is_that_of_the_name_in_every_mask(viewer: ViewerModel, mask: Labels) -> None:
    recolour_category(mask, 1, "#123456")
    other = viewer.add_labels(labels())
    add_category(other, "tumour of another mask", ())
    rename_category(other, 4, "tumour")
    assert colour_of_label(mask, 1).name() == category_colour("tumour") == "#123456"


def test_a_moved_category_keeps_its_label(mask: Labels) -> None:
    move_category(mask, 3, -2)
    assert [value for value, _ in listed_categories(mask)] == [3, 1, 2]
    move_category(mask, 3, 1)
    assert [value for value, _ in listed_categories(mask)] == [1, 3, 2]
    assert categories_of(mask) == THREE
    np.testing.assert_array_equal(mask.data, labels())
    move_category(mask, 2, 9)
    assert [value for value, _ in listed_categories(mask)] == [1, 3, 2]


REMOVED = {
    (1, 0): ([0, 0, 1, 2, IGNORE_INDEX], ["oedema", "cyst"], ((7, None),)),
    (1, 3): ([0, 2, 1, 2, IGNORE_INDEX], ["oedema", "cyst"], ((7, "x"),)),
    (2, 1): ([0, 1, 1, 2, IGNORE_INDEX], ["tumour", "cyst"], ((9, 7),)),
    (3, 0): ([0, 1, 2, 0, IGNORE_INDEX], ["tumour", "oedema"], (("x", None),)),
}


@pytest.mark.parametrize(("label", "into"), REMOVED)
def test_pixels_of_a_removed_category_go_where_they_are_sent_and_come_back(
    mask: Labels, label: int, into: int
) -> None:
    expected, kept, merged = REMOVED[label, into]
    move_category(mask, 3, -2)
    remove_category(mask, label, into)
    assert (row(mask), names(mask), record_of(mask).merged) == (expected, kept, merged)
    mask.undo()
    assert (names(mask), record_of(mask).merged) == ([c.name for c in THREE], ())
    np.testing.assert_array_equal(mask.data, labels())
    assert [value for value, _ in listed_categories(mask)] == [3, 1, 2]
    mask.redo()
    assert (row(mask), names(mask)) == (expected, kept)
    mask.undo()
    assert mask.features["category"].tolist() == ["background", *names(mask)]


def test_locks_move_with_their_categories(mask: Labels) -> None:
    set_locked(mask, 3, True)
    remove_category(mask, 1)
    assert locked_of(mask) == {2}
    mask.undo()
    assert locked_of(mask) == {3}


def test_strokes_before_and_after_a_removal_do_not_bring_it_back(mask: Labels) -> None:
    pixel = (np.array([0]), np.array([0]), np.array([0]))
    mask.data_setitem(pixel, 3)
    remove_category(mask, 1)
    mask.data_setitem(pixel, 1)
    mask.undo()
    assert names(mask) == ["oedema", "cyst"]
    mask.undo()
    assert names(mask) == ["tumour", "oedema", "cyst"]
    mask.undo()
    assert names(mask) == ["tumour", "oedema", "cyst"]
    np.testing.assert_array_equal(mask.data, labels())


def test_a_removal_is_undone_after_other_categories_were_added_or_renamed(
    viewer: ViewerModel, mask: Labels
) -> None:
    remove_category(mask, 1)
    rename_category(mask, 2, "hole")
    add_category(mask, "vessel", viewer.layers)
    mask.undo()
    assert names(mask) == ["tumour", "oedema", "hole", "vessel"]
    np.testing.assert_array_equal(mask.data, labels())
    mask.redo()
    assert (row(mask), names(mask)) == ([0, 0, 1, 2, IGNORE_INDEX], ["oedema", "hole", "vessel"])


def test_a_new_category_never_gets_the_id_of_a_removed_one(viewer: ViewerModel) -> None:
    mask = add_mask(viewer, labels(), categories=numbered_categories(3))
    remove_category(mask, 3, into=1)
    add_category(mask, "vessel", viewer.layers)
    assert [c.id for c in categories_of(mask)] == [1, 2, 4]
