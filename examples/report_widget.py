"""Dock the report on versions, devices and models, to send with a description of a fault."""

import napari

viewer = napari.Viewer()
_, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Report")
napari.run()
