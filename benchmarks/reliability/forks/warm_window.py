"""What the windows that are killed have imported before they start: see `forks.processes`."""

from __future__ import annotations

import napari
import napari.window

import napari_unet_seg._napari.review.widget

__all__ = ["napari", "napari_unet_seg"]
