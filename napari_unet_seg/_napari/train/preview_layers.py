"""Layers that show a validation slice with its truth and prediction, next to the user's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.layers.colours import category_colormap
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_unet_seg.config import Category
    from napari_unet_seg.events import Preview

_KINDS = ("image", "truth", "prediction")
_GAP = 0.05
_PAUSE_MS = 20


class PreviewLayers(QObject):
    """Three layers, added by the first preview, updated in place by later ones, until `remove`.

    napari takes up to a fifth of a second to add a layer, so the event loop runs between two
    layers.
    """

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.categories: Sequence[Category] = ()
        self._viewer = viewer
        self._arrays: dict[str, Any] = {}
        self._name = ""
        self._fit = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._add_next)

    def show(self, event: Preview) -> None:
        """Show a preview; the selected layers stay selected."""
        arrays = (event.image, event.truth, event.labels)
        self._arrays = dict(zip(_KINDS, arrays, strict=True))
        self._name = f"validation: {event.name}, epoch {event.epoch}"
        for kind in _KINDS:
            self._update(self._find(kind), self._arrays[kind])
        if not self._missing():
            self._find("image").name = self._name
        elif not self._timer.isActive():  # else previews that come fast would put it off for ever
            self._fit = self._shows_all()
            self._timer.start()

    def remove(self) -> None:
        """Remove the layers; a camera that showed all layers shows all that stay."""
        self._timer.stop()
        found = [layer for layer in map(self._find, _KINDS) if layer is not None]
        if not found:
            return
        fit = self._shows_all()
        for layer in found:
            self._viewer.layers.remove(layer)
        if fit and len(self._viewer.layers):
            self._viewer.reset_view()

    def _update(self, layer: Any, array: Any) -> None:
        if layer is None:
            return
        if layer.data.shape == array.shape:
            layer.data = array
        else:
            self._viewer.layers.remove(layer)

    def _missing(self) -> list[str]:
        return [kind for kind in _KINDS if self._find(kind) is None]

    def _add_next(self) -> None:
        """Add the next missing layer to the right of all open layers, with their height."""
        missing = self._missing()
        if missing:
            selected = list(self._viewer.layers.selection)
            self._add(missing[0], self._arrays[missing[0]])
            if selected:
                self._viewer.layers.selection = selected
            self._timer.start()
            return
        self._find("image").name = self._name
        if self._fit:
            self._viewer.reset_view()

    def _add(self, kind: str, array: Any) -> None:
        existing = next((layer for layer in map(self._find, _KINDS) if layer is not None), None)
        options = self._geometry_right_of_all(array) if existing is None else _geometry_of(existing)
        options["metadata"] = LayerRecord(preview=kind).as_metadata()
        if kind == "image":
            self._viewer.add_image(array, rgb=array.ndim == 3, name=self._name, **options)
            return
        options["colormap"] = category_colormap(self.categories)
        layer = self._viewer.add_labels(array, name=f"validation {kind}", **options)
        layer.editable = False
        layer.contour = 2 if kind == "truth" else 0
        layer.opacity = 1.0 if kind == "truth" else 0.5

    def _shows_all(self) -> bool:
        """Whether the camera shows all layers, as after the home button.

        The camera of a user who has zoomed in is not moved.
        """
        camera = getattr(self._viewer, "scene", self._viewer).camera  # moved in napari 0.9
        zoom, center, angles = camera.zoom, camera.center, camera.angles
        self._viewer.reset_view()
        same = bool(np.allclose((camera.zoom, *camera.center), (zoom, *center)))
        camera.zoom, camera.center, camera.angles = zoom, center, angles
        return same

    def _geometry_right_of_all(self, image: Any) -> dict[str, Any]:
        layers = self._viewer.layers
        if not len(layers):
            return {"scale": (1.0, 1.0), "translate": (0.0, 0.0)}
        low, high = np.asarray(layers.extent.world)[:, -2:]
        scale = max(high[0] - low[0], 1e-6) / image.shape[0]
        gap = _GAP * (high[1] - low[1])
        return {"scale": (scale, scale), "translate": (low[0], high[1] + gap)}

    def _find(self, kind: str) -> Any:
        return next((x for x in self._viewer.layers if record_of(x).preview == kind), None)


def _geometry_of(layer: Layer) -> dict[str, Any]:
    return {"scale": layer.scale[-2:], "translate": layer.translate[-2:]}
