"""Make a small data set: bright squares in noise, as images and masks of the same names."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_squares(folder: Path, count: int = 8) -> Path:
    """Write `images/` and `masks/` into a folder; any tool may have written them."""
    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        mask = np.zeros((32, 32), np.uint8)
        y, x = random.integers(0, 20, 2)
        mask[y : y + 10, x : x + 10] = 1
        image = random.integers(0, 80, mask.shape, np.uint8) + 150 * mask
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
    return folder
