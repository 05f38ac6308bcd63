"""Train the bundled model on for every sequence: real slices of any contrast and synthetic heads.

    python -m benchmarks.prompts.cache DATA CACHE
    python -m benchmarks.bundled.train_sequences CACHE --run runs/sequences [--steps 2000]

Starts from the bundled weights, or from those of `--start`; run again, it goes on where it was
interrupted, and steps may change then. A step of 12 slices takes a second of one core with native
bfloat16. `best.safetensors` in the run's folder holds the averaged weights.

What is learnt: tumours of BRISC, in its own contrast and in others, with their own look and with
others; lesions grown in synthetic heads, with their oedema where that looks like them. Healthy
slices, and heads with many small lesions as in multiple sclerosis, hold nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.bundled.drawn_training import DrawnTraining
from benchmarks.bundled.train_brain import framed
from benchmarks.bundled.train_bundled import CONFIG as BUNDLED_CONFIG
from benchmarks.common.brisc_data import TUMOUR
from benchmarks.common.long_training import given_to_training
from benchmarks.common.options import parser_of
from benchmarks.prompts.cache import smoke_cache
from benchmarks.prompts.lesions import CORE, LESION, OEDEMA, RIM
from benchmarks.prompts.slices import other_lesion, recoloured
from benchmarks.prompts.targets import looks_alike, visible
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import TrainConfig

CONFIG = BUNDLED_CONFIG.replace(
    batch_size=12, learning_rate=3e-4, warm_up=0.02, ema=0.995, precision="bfloat16"
)
HEALTHY = 2
"""How often a healthy slice is drawn for one with a tumour."""
FEW = 3
"""Lesions of a head up to which they are tumours; more are small and many, and none."""


class Mixture(NamedTuple):
    """What is drawn how often."""

    synthetic: float = 0.25
    """Share of the slices that are drawn from label maps."""
    changed: float = 0.35
    """Share of the real tumours that get another grey and texture."""
    contrasts: bool = True
    """Whether half of the real slices get other contrasts."""


class Mixed:
    """Random slices of a cache with their masks."""

    def __init__(self, cache: Path, mixture: Mixture) -> None:
        self._mixture = mixture
        self._brisc = np.load(cache / "brisc-train.npy", mmap_mode="r")
        weight = np.where(self._brisc[:, 1].any((1, 2)), 1.0, HEALTHY)
        self._chances = weight / weight.sum()
        files = sorted((cache / "usual").glob("[0-9]*.npy"))
        self._heads = [np.load(file, mmap_mode="r") for file in files]
        self._many = [many(heads) for heads in self._heads]

    def batch(
        self, config: TrainConfig, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, 1, Y, X) in 0…1 and masks (B, Y, X), uint8."""
        images, masks = [], []
        size = (config.image_size, config.image_size)
        for _ in range(config.batch_size):
            pair = self._head(rng) if rng.random() < self._mixture.synthetic else self._real(rng)
            both = torch.from_numpy(np.stack(pair).astype(np.float32))[None]
            small = F.interpolate(both, size, mode="bilinear", antialias=True)
            images.append(small[:, :1] / 255)
            masks.append((small[:, 1] > 0.5).byte())
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return augment(torch.cat(images), torch.cat(masks), config.augment, generator)

    def _real(self, rng: np.random.Generator) -> tuple[Array, Array]:
        image, truth = self._brisc[rng.choice(len(self._brisc), p=self._chances)]
        truth = truth > 0
        if truth.any() and rng.random() < self._mixture.changed:
            image = other_lesion(image, truth, rng)
        return recoloured(image, rng) if self._mixture.contrasts else image, truth

    def _head(self, rng: np.random.Generator) -> tuple[Array, Array]:
        while True:
            number = int(rng.integers(len(self._heads)))
            image, labels, _ = self._heads[number][rng.integers(len(self._heads[number]))]
            mask = tumour(image, labels)
            if self._many[number]:
                mask = np.zeros_like(mask)
            if not mask.any() or visible(image, mask):
                return framed(image, mask, rng)


def many(slices: Array) -> bool:
    """Whether a drawn head (N, 3, Y, X) has the many small lesions of multiple sclerosis."""
    return bool((slices[:, 1] >= LESION + 3 * FEW).any())


def tumour(image: Array, labels: Array) -> Array:
    """Lesions of a synthetic slice, with the oedema where it looks like them."""
    parts = (CORE, RIM, OEDEMA) if looks_alike(image, labels) else (CORE, RIM)
    return np.asarray((labels >= LESION) & np.isin((labels.astype(int) - LESION) % 3, parts))


def run_training(
    cache: Path, run: Path, config: TrainConfig, steps: int, start: Path | None, mixture: Mixture
) -> None:
    """Take the steps that are left."""
    source = "BRISC 2025 (Fateh et al., CC BY 4.0) and synthetic heads"
    slices = Mixed(cache, mixture)
    training = DrawnTraining(run, config, TUMOUR[0], source, steps, start)
    training.learn(lambda rng: slices.batch(config, rng))


def main() -> None:
    parser = parser_of(__doc__, "CACHE")
    parser.add_argument("--start", type=Path, default=BUNDLED, help="checkpoint to start from")
    parser.add_argument("--rate", type=float, default=CONFIG.learning_rate)
    share = Mixture().synthetic
    parser.add_argument("--synthetic", type=float, default=share, help="share of drawn heads")
    parser.set_defaults(changes={})
    smallest = {"image_size": 64, "batch_size": 2}
    with given_to_training(parser, smoke_cache, "runs/sequences", 2000, changes=smallest) as given:
        config = CONFIG.replace(learning_rate=given.rate, **given.changes)
        mixture = Mixture(synthetic=given.synthetic)
        run_training(given.folder, given.run, config, given.steps, given.start, mixture)


if __name__ == "__main__":
    main()
