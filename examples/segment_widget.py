"""Dock U-Net Seg next to the sample scan, and press Segment."""

import napari

viewer = napari.Viewer()
viewer.open_sample("napari-unet-seg", "scan")
_, dock = viewer.window.add_plugin_dock_widget("napari-unet-seg", "U-Net Seg")
dock.segment.segment_layer()
napari.run()
