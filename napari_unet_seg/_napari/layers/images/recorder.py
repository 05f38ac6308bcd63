"""Records the image of each mask that comes into the window by another way than this plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.owner import image_of, is_on_grid, record_image
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.viewer import ViewerModel

_RECORDERS: WeakKeyDictionary[ViewerModel, _ImageRecorder] = WeakKeyDictionary()
"""The recorders of viewers, which live as long as these."""


def record_images(viewer: ViewerModel) -> None:
    """Record the images of a viewer's masks that are open, are read, or are drawn as a new layer.

    A mask of which nothing else is known was made from the image that was active before it. A
    second call for a viewer changes nothing.
    """
    if viewer not in _RECORDERS:
        _RECORDERS[viewer] = _ImageRecorder(viewer)


class _ImageRecorder:
    def __init__(self, viewer: ViewerModel) -> None:
        self._layers = viewer.layers
        self._active: ref[Image] | None = None
        self._on_active()
        for layer in self._layers:
            if is_user_layer(layer, Labels):
                self._record(layer, None)
        self._layers.events.inserted.connect(self._on_inserted)
        self._layers.selection.events.active.connect(self._on_active)

    def _on_active(self, _: Any = None) -> None:
        layer = self._layers.selection.active
        if layer is not None and is_user_layer(layer, Image):
            self._active = ref(layer)

    def _on_inserted(self, event: Any) -> None:
        if is_user_layer(event.value, Labels):
            self._record(event.value, self._active() if self._active is not None else None)

    def _record(self, mask: Labels, active: Image | None) -> None:
        images = [layer for layer in self._layers if is_user_layer(layer, Image)]
        image = image_of(mask, reversed(images))
        if image is None and record_of(mask).image is None and active in images:
            image = active if is_on_grid(mask, active) else None
        if image is not None and image.unique_id != record_of(mask).image:
            try:
                record_image(mask, image)
            except DataError:
                return  # an image of too many dimensions, which is reported where it is used
