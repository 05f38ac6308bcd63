"""The line on what a person changed on a slice."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg._napari.session.slices.changes_overlay import correction_summary
from napari_unet_seg.session.slice_labels import slice_changes

LEFT, BOTH, NONE = np.array([1, 0]), np.array([1, 1]), np.array([0, 0])


@pytest.mark.parametrize(
    ("prediction", "labels", "line"),
    [
        (LEFT, LEFT, "As predicted"),
        (LEFT, BOTH, "+1 −0 px · Dice to prediction 0.667"),
        (NONE, LEFT, "+1 −0 px"),
        (LEFT, NONE, "+0 −1 px"),
    ],
)
def test_dice_is_shown_only_where_prediction_and_mask_overlap(
    prediction: np.ndarray, labels: np.ndarray, line: str
) -> None:
    assert correction_summary(slice_changes(prediction, labels)) == line
