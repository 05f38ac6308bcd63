from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.layer_record import ModelFile, record_of, update_record
from napari_unet_seg._napari.layers.prediction import checksums, is_untouched, misfit
from napari_unet_seg._napari.layers.prediction import show_prediction as _show_prediction
from napari_unet_seg._napari.layers.slice_values import SliceValues
from napari_unet_seg.config import Category
from napari_unet_seg.io.masks.sparse import sparse_zeros
from napari_unet_seg.models import BUNDLED

LESION = (Category(id=1, name="lesion"),)
MODEL = ModelFile("m", "0")


def show_prediction(viewer, image, mask, labels, categories, place, model):  # type: ignore[no-untyped-def]
    sums = checksums(labels, place)
    return _show_prediction(viewer, image, mask, labels, categories, place, sums, model)


def _square(row: int) -> np.ndarray:
    labels = np.zeros((20, 30), np.uint8)
    labels[row : row + 4, 5:9] = 1
    return labels


def _stack() -> tuple[ViewerModel, object]:
    viewer = ViewerModel()
    return viewer, viewer.add_image(np.zeros((3, 20, 30)), scale=(2, 1, 1), name="scan")


def test_slices_fill_up_one_mask() -> None:
    viewer, image = _stack()
    first = show_prediction(viewer, image, None, _square(2), LESION, (0,), MODEL)
    second = show_prediction(viewer, image, first, _square(9), LESION, (2,), MODEL)

    assert second is first
    np.testing.assert_array_equal(first.data, np.stack([_square(2), 0 * _square(2), _square(9)]))
    assert tuple(first.scale) == (2, 1, 1)
    assert first.name == "scan mask"
    assert record_of(first).model == MODEL


def test_an_unedited_prediction_is_updated_and_that_can_be_undone() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    again = show_prediction(viewer, image, mask, _square(6), LESION, (1,), MODEL)

    assert again is mask
    np.testing.assert_array_equal(mask.data[1], _square(6))
    mask.undo()
    np.testing.assert_array_equal(mask.data[1], _square(2))


@pytest.mark.parametrize("place", [(1,), ()])
def test_edits_are_never_wiped(place: tuple[int, ...]) -> None:
    viewer, image = _stack()
    labels = _square(2) if place else np.stack([_square(2)] * 3)
    mask = show_prediction(viewer, image, None, labels, LESION, place, MODEL)
    mask.paint((1, 15, 20), 1)
    edited = mask.data.copy()
    other = show_prediction(viewer, image, mask, labels, LESION, place, MODEL)

    assert other is not mask
    assert len(viewer.layers) == 3
    np.testing.assert_array_equal(mask.data, edited)


def test_a_second_mask_is_named_after_its_model_and_is_of_the_same_case() -> None:
    viewer, image = _stack()
    masks = [
        show_prediction(viewer, image, None, _square(2), LESION, (1,), ModelFile(str(model), "0"))
        for model in (BUNDLED, "one.safetensors", BUNDLED)
    ]
    names = ["scan mask", "scan mask · one", "scan mask · Bundled model"]
    assert [mask.name for mask in masks] == names
    assert {case_of(mask) for mask in masks} == {"scan"}


def test_edits_of_another_slice_stand_beside_a_new_prediction() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    mask.paint((1, 15, 20), 1)
    edited = mask.data[1].copy()

    assert show_prediction(viewer, image, mask, _square(9), LESION, (2,), MODEL) is mask
    np.testing.assert_array_equal(mask.data[1], edited)
    assert is_untouched(mask, [(0,), (2,)])
    assert not is_untouched(mask, [(0,), (1,), (2,)])


def test_a_slice_painted_before_its_prediction_is_the_users() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    mask.paint((0, 15, 20), 1)

    assert show_prediction(viewer, image, mask, _square(9), LESION, (0,), MODEL) is not mask


def test_an_erased_prediction_does_not_come_back_by_itself() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    mask.data_setitem(np.nonzero(mask.data), 0)

    assert show_prediction(viewer, image, mask, _square(2), LESION, (1,), MODEL) is not mask
    assert not mask.data.any()


def test_other_categories_make_another_mask() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    others = (Category(id=1, name="oedema"),)

    assert show_prediction(viewer, image, mask, _square(2), others, (1,), MODEL) is not mask


def test_a_mask_of_more_categories_gets_those_of_the_model_by_name() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    more = (Category(id=2, name="oedema"), Category(id=1, name="Lesion"))
    mask.data[mask.data == 1] = 2
    update_record(mask, categories=more, predicted=SliceValues(checksums(mask.data)))
    assert show_prediction(viewer, image, mask, _square(6), LESION, (1,), MODEL) is mask
    np.testing.assert_array_equal(mask.data[1], 2 * _square(6))
    assert is_untouched(mask, [(1,)])
    mask.undo()
    np.testing.assert_array_equal(mask.data[1], 2 * _square(2))
    # A prediction of other categories is not lost.
    mask.data[1, 15, 15] = 1
    update_record(mask, predicted=SliceValues(checksums(mask.data)))
    assert misfit(mask, (1,), LESION).startswith("has other categories there")
    assert show_prediction(viewer, image, mask, _square(6), LESION, (1,), MODEL) is not mask


def test_a_removed_mask_is_made_anew() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)
    viewer.layers.remove(mask)

    assert show_prediction(viewer, image, mask, _square(2), LESION, (1,), MODEL) in viewer.layers


def test_checksums_live_with_the_layer() -> None:
    viewer, image = _stack()
    mask = show_prediction(viewer, image, None, _square(2), LESION, (1,), MODEL)

    assert list(record_of(mask).predicted) == [(1,)]


@pytest.mark.parametrize("shape", [(0, 4), (3,), (2, 3, 4)])
def test_sparse_zeros_are_zeros_that_can_be_written(shape: tuple[int, ...]) -> None:
    zeros = sparse_zeros(shape, np.uint16)

    assert zeros.shape == shape
    assert not zeros.any()
    zeros[...] = 7
    assert (zeros == 7).all()
