"""Layers that show a validation slice beside the user's own, with truth and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari._layers import METADATA_KEY, category_colormap, metadata_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_unet_seg.config import Category
    from napari_unet_seg.events import Preview

_GAP = 0.05


class PreviewLayers:
    """Three layers, made at the first preview and updated in place by the later ones."""

    def __init__(self, viewer: ViewerModel, categories: Sequence[Category]) -> None:
        self._viewer = viewer
        self._categories = categories

    def show(self, event: Preview) -> None:
        """Show a preview; the selection stays as it is."""
        arrays = {"image": event.image, "truth": event.truth, "prediction": event.labels}
        layers = {kind: self._find(kind) for kind in arrays}
        if any(layer is None for layer in layers.values()):
            self._add(arrays)
        else:
            for kind, layer in layers.items():
                self._update(layer, arrays[kind])
        image = self._find("image")
        image.name = f"validation: {event.name}, epoch {event.epoch}"

    def _update(self, layer: Any, array: Any) -> None:
        if layer.data.shape == array.shape and getattr(layer, "rgb", False) == (array.ndim == 3):
            layer.data = array
        else:
            self._viewer.layers.remove(layer)
            self._add({metadata_of(layer)["preview"]: array})

    def _add(self, arrays: dict[str, Any]) -> None:
        """Put what is missing to the right of all that is open, as high as that is."""
        selected = list(self._viewer.layers.selection)
        known = self._find("image")
        place = _place_of(known) if known is not None else self._free_place(arrays["image"])
        for kind, array in arrays.items():
            if self._find(kind) is None:
                self._add_one(kind, array, place)
        if selected:
            self._viewer.layers.selection = selected

    def _add_one(self, kind: str, array: Any, place: dict[str, Any]) -> None:
        options = {**place, "metadata": {METADATA_KEY: {"preview": kind}}}
        if kind == "image":
            self._viewer.add_image(array, rgb=array.ndim == 3, name="validation", **options)
            return
        options["colormap"] = category_colormap(self._categories)
        layer = self._viewer.add_labels(array, name=f"validation {kind}", **options)
        layer.editable = False
        layer.contour = 2 if kind == "truth" else 0
        layer.opacity = 1.0 if kind == "truth" else 0.5

    def _free_place(self, image: Any) -> dict[str, Any]:
        layers = self._viewer.layers
        if not len(layers):
            return {"scale": (1.0, 1.0), "translate": (0.0, 0.0)}
        low, high = np.asarray(layers.extent.world)[:, -2:]
        scale = max(high[0] - low[0], 1e-6) / image.shape[0]
        gap = _GAP * (high[1] - low[1])
        return {"scale": (scale, scale), "translate": (low[0], high[1] + gap)}

    def _find(self, kind: str) -> Any:
        return next((x for x in self._viewer.layers if metadata_of(x).get("preview") == kind), None)


def _place_of(layer: Layer) -> dict[str, Any]:
    return {"scale": layer.scale[-2:], "translate": layer.translate[-2:]}
