"""Layers of an open session that are renamed, moved, duplicated or removed in napari's own list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers._layer_actions import _duplicate_layer
from scene import CATEGORIES, PLACE, SHAPE
from sessions import start_session

from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.layers.images.combo import UNKNOWN
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def opened(qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    """A session on a mask of FLAIR, below T1c of the same grid."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    for name in ("FLAIR", "T1c"):
        viewer.add_image(np.ones(SHAPE, np.uint8), name=name, **PLACE)
    mask = add_labels(
        viewer, np.zeros(SHAPE, np.uint8), viewer.layers["FLAIR"], CATEGORIES, "lesion"
    )
    viewer.layers.selection.active = mask
    start_session(qtbot, widget, tmp_path / "s")
    return widget


def test_the_session_stays_on_its_layers(opened: ReviewWidget, tmp_path: Path) -> None:
    layers, current = opened.viewer.layers, opened.desk.current
    assert current is not None
    image, mask = layers["FLAIR"], layers["lesion"]
    image.name, mask.name = "T1c", "T1c mask"
    layers.move(layers.index(image), len(layers))
    layers.selection = {mask}
    _duplicate_layer(layers)
    copy = layers["T1c mask copy"]
    copy.data[0, 0, 0] = 1
    layers.selection = {image}
    _duplicate_layer(layers)
    layers.selection.active = copy
    assert opened.desk.current is current
    assert (opened.current_image, opened.current_mask) == (image, mask)
    for each in (mask, copy):
        assert image_of(each, [i for i in layers if i not in (mask, copy)]) is image
    layers.remove(copy)
    assert opened.session is not None
    assert not mask.data.any()
    opened.desk.close()
    stored = Session.open(tmp_path / "s").record
    assert (stored.layers.image, stored.layers.mask) == (image.name, mask.name)
    assert stored.masks == (), "a copy is in no file"


def test_a_session_outlives_its_image(opened: ReviewWidget, tmp_path: Path) -> None:
    layers, mask = opened.viewer.layers, opened.viewer.layers["lesion"]
    layers.remove("FLAIR")
    assert opened.session is not None
    assert opened.image_combo.layer() is None
    assert opened.image_combo.currentText() == UNKNOWN, "T1c is no default"
    mask.data_setitem((np.array([0]), np.array([3]), np.array([4])), 1)
    opened.desk.close()
    np.testing.assert_array_equal(Session.open(tmp_path / "s").load_mask(), mask.data)
