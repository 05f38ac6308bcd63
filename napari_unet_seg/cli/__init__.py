"""The program `napari-unet-seg`."""

from __future__ import annotations

from napari_unet_seg.cli._app import main

__all__ = ["main"]
