from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_unet_seg._napari.layers.edited_slices import EditedSlices

SHAPE = (2, 3, 20, 30)


@pytest.fixture(params=[True, False], ids=["shown", "hidden"])
def mask(request: pytest.FixtureRequest) -> object:
    mask = ViewerModel().add_labels(np.zeros(SHAPE, np.uint8))
    mask.visible = request.param
    return mask


def test_edits_undo_and_redo_are_told_by_slice(mask) -> None:
    edited = EditedSlices(mask)
    assert edited.take() == set()
    mask.paint((1, 0, 5, 5), 1)
    assert edited.take() == {3}
    with mask.block_history():
        for volume, index in ((0, 2), (1, 0), (1, 1)):
            mask.data_setitem(tuple(np.full(2, i) for i in (volume, index, 5, 5)), 2)
    assert edited.take() == {2, 3, 4}
    assert edited.take() == set()
    mask.undo()
    assert edited.take() == {2, 3, 4}
    mask.undo()
    assert edited.take() == {3}
    mask.redo()
    mask.redo()
    assert edited.take() == {2, 3, 4}
    mask.undo()
    mask.redo()
    assert edited.take() == set()
    edited.close()
    mask.undo()
    mask.paint((1, 2, 5, 5), 1)
    assert edited.take() <= {2, 3, 4}


def test_a_pixel_that_was_put_back_tells_of_no_undo(mask) -> None:
    edited = EditedSlices(mask)
    columns = np.arange(4)
    place = (np.zeros(4, int), np.ones(4, int), np.full(4, 5), columns)
    with mask.block_history():
        mask.data_setitem(place, 1)
        mask.data_setitem(tuple(axis[-1:] for axis in place), 0)
    assert edited.take() == {1}
    mask.undo()
    assert edited.take() == {1}


def test_a_plain_mask_is_one_slice() -> None:
    mask = ViewerModel().add_labels(np.zeros(SHAPE[-2:], np.uint8))
    edited = EditedSlices(mask)
    mask.paint((5, 5), 1)
    assert edited.take() == {0}
    mask.undo()
    assert edited.take() == {0}
