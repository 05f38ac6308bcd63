"""Records the image of each mask that comes into the window by another way than this plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari.layers import Image, Labels
from qtpy.QtCore import QObject

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.owner import image_of, is_on_grid, record_image
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class ImageRecorder(QObject):
    """Records the images of masks that are read, or drawn as a new layer.

    A mask of which nothing else is known was made from the image that was active before it.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    dock : QWidget
        The widget with which the recorder is destroyed.
    """

    def __init__(self, viewer: ViewerModel, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._active: ref[Image] | None = None
        self._on_active()
        for layer in viewer.layers:
            if is_user_layer(layer, Labels):
                self._record(layer, None)
        events = viewer.layers.events, viewer.layers.selection.events
        connect(dock, (events[0].inserted, self._on_inserted), (events[1].active, self._on_active))

    def _on_active(self, _: Any = None) -> None:
        layer = self._viewer.layers.selection.active
        if layer is not None and is_user_layer(layer, Image):
            self._active = ref(layer)

    def _on_inserted(self, event: Any) -> None:
        if is_user_layer(event.value, Labels):
            self._record(event.value, self._active() if self._active is not None else None)

    def _record(self, mask: Labels, active: Image | None) -> None:
        images = [layer for layer in self._viewer.layers if is_user_layer(layer, Image)]
        image = image_of(mask, reversed(images))
        if image is None and record_of(mask).image is None and active in images:
            image = active if is_on_grid(mask, active) else None
        if image is not None and image.unique_id != record_of(mask).image:
            try:
                record_image(mask, image)
            except DataError:
                return  # an image of too many dimensions, which is reported where it is used
