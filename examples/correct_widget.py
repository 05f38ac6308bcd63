"""Dock Correct and save, start a session on the sample's masks, and accept the slice on screen."""

from pathlib import Path
from tempfile import mkdtemp

import napari

viewer = napari.Viewer()
viewer.open_sample("napari-unet-seg", "coco")
_, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Correct and save")
widget.bar.folder.setValue(Path(mkdtemp()) / "session")
widget.desk.session_changed.connect(widget.review.buttons["accept"].click)
widget.start_session()
napari.run()
