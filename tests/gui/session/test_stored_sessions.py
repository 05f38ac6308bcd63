"""Sessions that earlier versions wrote, as layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from napari.components import ViewerModel

from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.session.session_layers import session_arguments, show_session
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import read_record

EXAMPLES = Path(__file__).parents[2] / "session" / "examples"


def test_a_stored_session_is_shown_as_it_was_left() -> None:
    for folder in EXAMPLES.iterdir():
        session = Session.open(folder)
        image, mask, _ = show_session(ViewerModel(), session, session.load_mask())
        shown, placement = session.layers, session.layers.placement
        assert placement is not None
        assert (image.name, mask.name) == (shown.image, shown.mask)
        assert locked_of(mask) == set(shown.locked)
        for layer in (image, mask):
            np.testing.assert_array_equal(layer.scale, placement.scale)
            np.testing.assert_array_equal(layer.translate, placement.translate)
            assert tuple(map(str, layer.units)) == placement.units


def test_a_session_started_on_such_layers_records_the_same() -> None:
    for folder in EXAMPLES.iterdir():
        session = Session.open(folder)
        image, mask, _ = show_session(ViewerModel(), session, session.load_mask())
        again, record = session_arguments(image, mask), read_record(folder)
        palette = again["layers"].palette  # which these sessions are too old for
        assert [name for name, _ in palette] == [c.name for c in record.categories]
        assert again["layers"].model_copy(update={"palette": ()}) == record.layers
        assert again["origin"].coco == record.origin.coco
        assert tuple(again["categories"]) == record.categories
