"""Labels layers of the plugin over a mask, drawn slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord, MapRecord
from napari_unet_seg.io.masks.sparse import sparse_zeros

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part


class Overlay:
    """A read-only labels layer over a mask, with the mask's grid and geometry.

    Only slices with drawn pixels take memory.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows the overlay.
    mask : Labels
        The mask below the overlay.
    name : str
        Name of the layer.
    colours : dict
        Colour of each label that is drawn.
    """

    def __init__(
        self, viewer: ViewerModel, mask: Labels, name: str, colours: dict[int, str]
    ) -> None:
        self._viewer, self._mask = viewer, mask
        self._name, self._colours = name, colours
        self.layer: Labels | None = None

    @property
    def shown(self) -> bool:
        """Whether the layer is in the viewer; the user may have deleted it."""
        return self.layer is not None and self.layer in self._viewer.layers

    def show(self) -> None:
        """Add the layer; the active layer stays active."""
        if self.shown:
            return
        active = self._viewer.layers.selection.active
        colours: dict[int | None, str] = dict.fromkeys((None, 0), "transparent")
        colours.update(self._colours.items())
        shape = self._mask.data[0].shape if self._mask.multiscale else self._mask.data.shape
        self.layer = self._viewer.add_labels(
            sparse_zeros(shape, np.uint8),
            name=self._name,
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=0.8,
            metadata=LayerRecord(map=MapRecord(self._name)).as_metadata(),
            **geometry_of(self._mask),
        )
        self.layer.editable = False
        self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Remove the layer."""
        if self.layer is not None and self.shown:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def draw(self, drawn: Array, place: Part) -> None:
        """Draw a slice, if the layer is in the viewer."""
        if self.layer is None or not self.shown or np.array_equal(self.layer.data[place], drawn):
            return
        self.layer.data[place] = drawn
        self.layer.refresh(thumbnail=False, highlight=False, extent=False)
