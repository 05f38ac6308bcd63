"""What changed in a slice against its prediction, as a line and as a layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_unet_seg._napari._layers import METADATA_KEY, geometry_of
from napari_unet_seg._napari._sparse import sparse_zeros

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.session import Changes

Array = np.ndarray[Any, np.dtype[Any]]

ADDED, REMOVED = 1, 2
NAME = "changes"
_COLOURS: dict[int | None, str] = {
    None: "transparent",
    0: "transparent",
    ADDED: "#36d964",
    REMOVED: "#ff3fd0",
}


def in_words(changes: Changes) -> str:
    """Say in one line how a slice differs from its prediction."""
    if not changes.added and not changes.removed:
        return "As predicted"
    dice = "–" if math.isnan(changes.dice) else f"{changes.dice:.3f}"
    return f"+{changes.added:,} −{changes.removed:,} px · Dice to prediction {dice}"


class ChangesOverlay:
    """A layer over a mask: green where pixels were added, magenta where they were removed.

    It has the mask's grid and geometry, is filled a slice at a time, and takes memory only there.
    """

    def __init__(self, viewer: ViewerModel, mask: Labels) -> None:
        self._viewer, self._mask = viewer, mask
        self.layer: Labels | None = None

    @property
    def shown(self) -> bool:
        """Whether the layer is there; the user may have deleted it."""
        return self.layer is not None and self.layer in self._viewer.layers

    def show(self) -> None:
        """Add the layer; the mask stays the one that is painted on."""
        if self.shown:
            return
        active = self._viewer.layers.selection.active
        self.layer = self._viewer.add_labels(
            sparse_zeros(self._mask.data.shape, np.uint8),
            name=NAME,
            colormap=DirectLabelColormap(color_dict=_COLOURS),
            opacity=0.8,
            metadata={METADATA_KEY: {"map": "changes"}},
            **geometry_of(self._mask),
        )
        self.layer.editable = False
        self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Remove the layer."""
        if self.layer is not None and self.shown:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def update(self, prediction: Array, labels: Array, place: tuple[int, ...]) -> None:
        """Draw the changes of one slice."""
        if self.layer is None or not self.shown:
            return
        differ = prediction != labels
        drawn = np.where(differ & (labels != 0), ADDED, 0).astype(np.uint8)
        drawn[differ & (labels == 0)] = REMOVED
        if not np.array_equal(self.layer.data[place], drawn):
            self.layer.data[place] = drawn
            self.layer.refresh()
