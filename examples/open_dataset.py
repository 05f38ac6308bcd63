"""Open a data set: a folder of images and a folder of masks are one."""

from pathlib import Path
from tempfile import mkdtemp

from squares import write_squares

from napari_unet_seg import open_dataset

samples = open_dataset(write_squares(Path(mkdtemp()) / "squares"))
print(f"{len(samples.samples)} samples of {[c.name for c in samples.categories]}")
