"""The layers that show a validation slice, apart from a training."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QTimer

from napari_unet_seg._napari.train.preview_layers import PreviewLayers
from napari_unet_seg.events import Preview

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_previews_that_come_at_every_turn_of_the_window_are_shown(qtbot: QtBot) -> None:
    viewer, epochs, stream = ViewerModel(), itertools.count(1), QTimer()
    previews = PreviewLayers(viewer)
    square = np.zeros((16, 16), np.uint8)
    stream.timeout.connect(
        lambda: previews.show(Preview(next(epochs), "one", square, square, square))
    )
    stream.start(0)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    stream.stop()
    previews.remove()
    assert not viewer.layers
