"""Train a network that follows prompts, and ask it what one click means."""

from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from squares import write_squares

from napari_unet_seg import (
    ModelConfig,
    PredictConfig,
    Refined,
    TrainConfig,
    TrainFinished,
    open_dataset,
    read_scan,
    refine,
    train,
)

folder = Path(mkdtemp())
samples = open_dataset(write_squares(folder / "squares"))
model = ModelConfig(width=4, depth=2, prompts=True)
config = TrainConfig(epochs=2, image_size=32, model=model, precision="float32")
*_, finished = train(config, samples, folder / "run")
assert isinstance(finished, TrainFinished)

image = read_scan(folder / "squares" / "images" / "0.png")
prompts = np.zeros((3, *image.grid_shape), bool)  # inside, outside, in a box
prompts[0, 16, 16] = True
for event in refine(PredictConfig(precision="float32"), finished.best, image, prompts):
    if isinstance(event, Refined):
        print(f"{event.mask.sum()} pixels belong to what was clicked on")
