"""Dock Train U-Net with a data set and settings of one's own, and start the training."""

from pathlib import Path
from tempfile import mkdtemp

import napari
from squares import write_squares

from napari_unet_seg import ModelConfig, TrainConfig

folder = Path(mkdtemp())
viewer = napari.Viewer()
_, widget = viewer.window.add_plugin_dock_widget("napari-unet-seg", "Train U-Net")
widget.source.folder.setValue(write_squares(folder / "squares"))
widget.output.setValue(folder / "run")
widget.setValue(TrainConfig(epochs=3, image_size=32, model=ModelConfig(width=4, depth=2)))
widget.start()
napari.run()
