"""Dock Import COCO and let it read the sample's file; its table shows what is in it."""

from pathlib import Path

import napari

FILE = "train/_annotations.coco.json"

viewer = napari.Viewer()
_, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Import COCO")
widget.setPath(Path(__file__).parents[1] / "sample_data" / "coco" / FILE)
napari.run()
