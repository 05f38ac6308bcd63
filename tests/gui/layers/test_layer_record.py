from __future__ import annotations

import pickle
from copy import deepcopy

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Labels
from napari.layers._layer_actions import _duplicate_layer

from napari_unet_seg._napari.layers.layer_record import (
    LayerRecord,
    ModelFile,
    record_of,
    update_record,
)
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.layers.prediction import record_decided, record_prediction
from napari_unet_seg._napari.layers.slice_values import SliceValues
from napari_unet_seg.config import Category

RECORD = LayerRecord(categories=(Category(id=1, name="lesion"),), model=ModelFile("m", "0"))


def _mask() -> Labels:
    return Labels(np.zeros((3, 8, 9), np.uint8), metadata=RECORD.as_metadata() | {"other": 1})


def test_a_change_keeps_the_other_fields_and_the_metadata_of_others() -> None:
    mask = _mask()
    update_record(mask, independent=True)
    record = record_of(mask)
    assert (record.independent, record.categories) == (True, RECORD.categories)
    assert mask.metadata["other"] == 1
    assert not RECORD.independent


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="lokced"):
        update_record(_mask(), lokced=frozenset({1}))


def test_what_happens_to_a_duplicate_leaves_its_origin_alone() -> None:
    mask = _mask()
    record_prediction(mask, (0,), 0.5)
    layers = LayerList([mask])
    layers.selection.active = mask
    _duplicate_layer(layers)
    copy = layers[1]
    assert record_of(copy) is record_of(mask)

    record_prediction(copy, (1,), 0.9)
    record_decided(copy, [(2,)])
    set_locked(copy, 1, True)
    assert dict(record_of(mask).predicted_dice) == {(0,): 0.5}
    assert list(record_of(mask).predicted) == [(0,)]
    assert not record_of(mask).decided
    assert not locked_of(mask)
    assert dict(record_of(copy).predicted_dice) == {(0,): 0.5, (1,): 0.9}


def test_a_deep_copy_takes_no_memory() -> None:
    metadata = LayerRecord(predicted=SliceValues({(0,): 1})).as_metadata()
    (copied,) = deepcopy(metadata).values()
    (record,) = metadata.values()
    assert copied is record


def test_a_record_goes_to_another_process() -> None:
    record = pickle.loads(pickle.dumps(RECORD))
    assert (record.categories, record.model) == (RECORD.categories, RECORD.model)
