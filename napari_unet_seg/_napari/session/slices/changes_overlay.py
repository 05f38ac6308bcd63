"""The changes of a slice against its prediction, as a text and as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.overlay import Overlay

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.slice_labels import SliceChanges


ADDED, REMOVED = 1, 2
NAME = "changes"
_COLOURS = {ADDED: "#36d964", REMOVED: "#ff3fd0"}


def correction_summary(changes: SliceChanges) -> str:
    """Return a line on the pixels of a slice that differ from its prediction."""
    if not changes.added and not changes.removed:
        return "As predicted"
    pixels = f"+{changes.added:,} −{changes.removed:,} px"
    # an empty prediction, or an emptied one, has a Dice of 0 or none to anything drawn
    return f"{pixels} · Dice to prediction {changes.dice:.3f}" if changes.dice > 0 else pixels


class ChangesOverlay(Overlay):
    """A layer over a mask with added pixels in green and removed pixels in magenta."""

    def __init__(self, viewer: ViewerModel, mask: Labels) -> None:
        super().__init__(viewer, mask, NAME, _COLOURS)

    def update(self, prediction: Array, labels: Array, place: Part) -> None:
        """Draw the changes of a plane."""
        if not self.shown:
            return
        differ = prediction != labels
        drawn = np.where(differ & (labels != 0), ADDED, 0).astype(np.uint8)
        drawn[differ & (labels == 0)] = REMOVED
        self.draw(drawn, place)
