"""Dock Segment next to the sample scan, and press its button."""

import napari

viewer = napari.Viewer()
viewer.open_sample("napari-unet-seg", "scan")
_, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Segment")
widget.segment_layer()
napari.run()
