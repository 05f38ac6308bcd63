"""Masks that napari's own reader opens as images: TIFFs whose values are those of a mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.files.guessed_masks import guessed_mask
from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import EMPTY_RECORD, record_of
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.images.photographs import TIFF_SUFFIXES

if TYPE_CHECKING:
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class TiffMasks(QObject):
    """Shows TIFFs that are opened by napari itself as masks, if they are masks by their values.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose new layers are looked at.
    parent : QWidget
        The widget with which this ends.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._opened: list[Image] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._replace_opened)
        connect(parent, (viewer.layers.events.inserted, self._on_inserted))

    def _on_inserted(self, event: Any) -> None:
        if _is_from_tiff(event.value):
            self._opened.append(event.value)
            self._soon.start(0)  # napari is still busy with the layer

    def _replace_opened(self) -> None:
        opened, self._opened = self._opened, []
        for image in opened:
            self._replace(image)

    def _replace(self, image: Image) -> None:
        if image not in self._viewer.layers:
            return
        try:
            mask = guessed_mask(scan_from_layer(image), image.name)
        except SegmentationError:  # more axes than a scan has
            return
        if mask is not None:
            labels, options, _ = mask
            self._viewer.layers.remove(image)
            self._viewer.add_labels(labels, **options | geometry_of(image))


def _is_from_tiff(layer: Any) -> bool:
    path = layer.source.path
    return (
        isinstance(layer, Image)
        and isinstance(path, str | Path)
        and Path(path).suffix.lower() in TIFF_SUFFIXES
        and record_of(layer) is EMPTY_RECORD
        and not layer.rgb
        and isinstance(layer.data, np.ndarray)
    )
