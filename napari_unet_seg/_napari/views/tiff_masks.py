"""Masks that napari's own reader opens as images: TIFFs whose values are those of a mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.files.open_files import open_file
from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import EMPTY_RECORD, record_of
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.images.photographs import TIFF_SUFFIXES
from napari_unet_seg.io.masks.guess import labels_in

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
            if labels_in(scan_from_layer(image)) is None:
                return
            # napari reads neither the voxel size nor the categories of a mask.
            opened = open_file(self._viewer, Path(str(image.source.path)))
        except SegmentationError:  # more axes than a scan has
            return
        self._viewer.layers.remove(image)
        if (image.scale != 1).any():  # a script gave it a place
            for layer in opened:
                for name, value in geometry_of(image).items():
                    setattr(layer, name, value)


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
