"""Measure a model on samples whose true masks are known."""

from pathlib import Path
from tempfile import mkdtemp

from squares import write_squares

from napari_unet_seg import Evaluated, PredictConfig, evaluate_samples, open_dataset
from napari_unet_seg.models import BUNDLED

samples = open_dataset(write_squares(Path(mkdtemp()) / "squares"))

for event in evaluate_samples(BUNDLED, samples, PredictConfig(precision="float32")):
    if isinstance(event, Evaluated):
        print(f"Dice {event.dice:.2f}, IoU {event.iou:.2f}")
