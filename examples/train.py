"""Train a small network, stop it after the second epoch, and measure the best model."""

from pathlib import Path
from tempfile import mkdtemp

from squares import write_squares

from napari_unet_seg import (
    Command,
    EpochEnd,
    ModelConfig,
    TrainConfig,
    TrainFinished,
    open_dataset,
    train,
)

folder = Path(mkdtemp())
samples = open_dataset(write_squares(folder / "squares"))
config = TrainConfig(image_size=32, model=ModelConfig(width=4, depth=2), precision="float32")

events = train(config, samples, folder / "run")
command = None
try:
    while True:
        event = events.send(command)
        if isinstance(event, EpochEnd):
            print(f"Epoch {event.epoch}: Dice {event.valid_dice:.2f}")
            command = Command.STOP if event.epoch == 2 else None
        elif isinstance(event, TrainFinished):
            print(f"Best model: {event.best}")
except StopIteration:
    pass
