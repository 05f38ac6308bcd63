from __future__ import annotations

import pickle
from copy import deepcopy

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Labels
from napari.layers._layer_actions import _duplicate_layer

from napari_unet_seg._napari.layers.by_place import ByPlace
from napari_unet_seg._napari.layers.carried import LayerRecord, ModelFile, carried, carry
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.layers.prediction import note_decided, note_prediction
from napari_unet_seg.config import Category

RECORD = LayerRecord(categories=(Category(id=1, name="lesion"),), model=ModelFile("m", "0"))


def _mask() -> Labels:
    return Labels(np.zeros((3, 8, 9), np.uint8), metadata=RECORD.as_metadata() | {"other": 1})


def test_a_change_keeps_the_other_fields_and_the_metadata_of_others() -> None:
    mask = _mask()
    carry(mask, independent=True)
    record = carried(mask)
    assert (record.independent, record.categories) == (True, RECORD.categories)
    assert mask.metadata["other"] == 1
    assert not RECORD.independent


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="lokced"):
        carry(_mask(), lokced=frozenset({1}))


def test_what_happens_to_a_duplicate_leaves_its_origin_alone() -> None:
    mask = _mask()
    note_prediction(mask, (0,), 0.5)
    layers = LayerList([mask])
    layers.selection.active = mask
    _duplicate_layer(layers)
    copy = layers[1]
    assert carried(copy) is carried(mask)

    note_prediction(copy, (1,), 0.9)
    note_decided(copy, [(2,)])
    set_locked(copy, 1, True)
    assert dict(carried(mask).predicted_dice) == {(0,): 0.5}
    assert list(carried(mask).predicted) == [(0,)]
    assert not carried(mask).decided
    assert not locked_of(mask)
    assert dict(carried(copy).predicted_dice) == {(0,): 0.5, (1,): 0.9}


def test_a_deep_copy_takes_no_memory() -> None:
    metadata = LayerRecord(predicted=ByPlace({(0,): 1})).as_metadata()
    (copied,) = deepcopy(metadata).values()
    (record,) = metadata.values()
    assert copied is record


def test_a_record_goes_to_another_process() -> None:
    record = pickle.loads(pickle.dumps(RECORD))
    assert (record.categories, record.model) == (RECORD.categories, RECORD.model)
