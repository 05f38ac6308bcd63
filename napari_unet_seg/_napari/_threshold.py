"""What a mask would be like, while a slider is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg._napari._layers import METADATA_KEY, geometry_of
from napari_unet_seg._napari._sparse import sparse_zeros

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from numpy import ndarray

    from napari_unet_seg.correct.apply import Change

NAME = "threshold preview"


class ThresholdPreview:
    """A layer that stands in for a mask, with one slice of it changed; the mask is hidden."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._mask: Labels | None = None
        self._layer: Labels | None = None

    def show(self, mask: Labels, change: Change, place: tuple[int, ...]) -> None:
        """Show the slice at `place` with a change of it."""
        labels = mask.data[place].copy()
        labels[change.indices] = change.values
        if self._layer is None:
            self._add(mask, labels, place)
        else:
            self._layer.data[place] = labels
            self._layer.refresh(extent=False, thumbnail=False, highlight=False)

    def hide(self) -> bool:
        """Remove the layer and show the mask again; tells whether there was anything to hide."""
        shown = self._layer is not None
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        if self._mask is not None:
            self._mask.visible = True
        self._layer = self._mask = None
        return shown

    def _add(self, mask: Labels, labels: ndarray[Any, Any], place: tuple[int, ...]) -> None:
        whole = sparse_zeros(mask.data.shape, mask.data.dtype)
        whole[place] = labels
        selected = self._viewer.layers.selection.active
        self._layer = self._viewer.add_labels(
            whole,
            name=NAME,
            colormap=mask.colormap,
            opacity=mask.opacity,
            metadata={METADATA_KEY: {"preview": "threshold"}},
            **geometry_of(mask),
        )
        self._layer.contour = mask.contour
        self._layer.editable = False
        self._viewer.layers.selection.active = selected
        if mask.visible:
            self._mask, mask.visible = mask, False
