from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_unet_seg.io.masks.areas import components


def value_by_value(labels, neighbours):
    structure = ndimage.generate_binary_structure(2, 2 if neighbours == 8 else 1)
    for value in np.unique(labels[labels != 0]).tolist():
        areas, _ = ndimage.label(labels == value, structure)
        for index, where in enumerate(ndimage.find_objects(areas), 1):
            yield value, where, (areas[where] == index).tolist()


@pytest.mark.parametrize("neighbours", [4, 8])
@settings(max_examples=100, deadline=None)
@given(arrays(st.sampled_from([np.uint8, np.int64]), (7, 9), elements=st.integers(0, 3)))
def test_all_values_at_once_are_found_as_each_alone_would_be(neighbours, labels):
    found = [(a.value, a.where, a.mask.tolist()) for a in components(labels, neighbours)]
    assert found == list(value_by_value(labels, neighbours))
