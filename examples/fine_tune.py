"""Fine-tune the bundled model: a training that starts from a checkpoint."""

from pathlib import Path
from tempfile import mkdtemp

from squares import write_squares

from napari_unet_seg import FINE_TUNE, EpochEnd, open_dataset, train
from napari_unet_seg.models import BUNDLED

folder = Path(mkdtemp())
samples = open_dataset(write_squares(folder / "squares"))
config = FINE_TUNE.replace(epochs=1, image_size=32, precision="float32")

for event in train(config, samples, folder / "run", init=BUNDLED):
    if isinstance(event, EpochEnd):
        print(f"Epoch {event.epoch}: Dice {event.valid_dice:.2f}")
