"""What changed in a slice against its prediction, as a line and as a layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.overlay import Overlay

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.session.session import Changes


ADDED, REMOVED = 1, 2
NAME = "changes"
_COLOURS = {ADDED: "#36d964", REMOVED: "#ff3fd0"}


def correction_summary(changes: Changes) -> str:
    """Say in one line how a slice differs from its prediction."""
    if not changes.added and not changes.removed:
        return "As predicted"
    dice = "–" if math.isnan(changes.dice) else f"{changes.dice:.3f}"
    return f"+{changes.added:,} −{changes.removed:,} px · Dice to prediction {dice}"


class ChangesOverlay(Overlay):
    """A layer over a mask: green where pixels were added, magenta where they were removed."""

    def __init__(self, viewer: ViewerModel, mask: Labels) -> None:
        super().__init__(viewer, mask, NAME, _COLOURS)

    def update(self, prediction: Array, labels: Array, place: tuple[int, ...]) -> None:
        """Draw the changes of one slice."""
        if not self.shown:
            return
        differ = prediction != labels
        drawn = np.where(differ & (labels != 0), ADDED, 0).astype(np.uint8)
        drawn[differ & (labels == 0)] = REMOVED
        self.draw(drawn, place)
