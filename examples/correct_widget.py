"""Dock U-Net Seg, correct the sample's masks in a session, and accept the slice on screen."""

from pathlib import Path
from tempfile import mkdtemp

import napari

viewer = napari.Viewer()
_, mask = viewer.open_sample("napari-unet-seg", "coco")
_, dock = viewer.window.add_plugin_dock_widget("napari-unet-seg", "U-Net Seg")
page = dock.correct
page.bar.folder.setValue(Path(mkdtemp()) / "session")
page.desk.session_changed.connect(page.review.buttons["accept"].click)
dock.correct_mask(mask)
napari.run()
