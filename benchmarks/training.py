"""Samples per second of this trainer against the published project's loop.

    python benchmarks/training.py TUMORSEG --name "two cores, AVX-512 bfloat16" [--width 16]

Both train the same net (the preset `optimised`) on the same files with the same batch, in one
process, a few steps of the one after a few of the other; the medians are compared. The published
loop decodes, resizes and rotates each sample with PIL whenever it is drawn, in float32 with
channels first. This trainer reads every file once, which is timed apart, and augments the batch;
its precision is the one that it finds to be the faster. `ONEDNN_MAX_CPU_ISA=AVX2` shows a
processor without bfloat16; the figures are kept under `--name`.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from records import write_record
from torch import nn
from tumorseg_data import tumorseg_samples

from napari_unet_seg.config import PRESETS, TrainConfig
from napari_unet_seg.data.augment import augment
from napari_unet_seg.data.cache import build_cache
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.nn.team import Team
from napari_unet_seg.nn.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg.data.samples import Sample

STEPS = 2
"""Of each way in a round."""


class Published:
    """The published loop, written from its description: sample by sample, float32, NCHW."""

    def __init__(self, config: TrainConfig, samples: Sequence[Sample]) -> None:
        self._size = (config.image_size, config.image_size)
        self._samples = samples
        self._net = build_net(config.model)
        self._optimiser = torch.optim.Adam(self._net.parameters(), lr=config.learning_rate)
        self._bce = nn.BCEWithLogitsLoss()

    def step(self, indices: Sequence[int]) -> None:
        """Decode, augment, and take a step."""
        images, masks = zip(*(self._item(i) for i in indices), strict=True)
        self._optimiser.zero_grad()
        logits, truth = self._net(torch.stack(images)), torch.stack(masks)
        loss = self._bce(logits, truth) + _dice_loss(logits.sigmoid(), truth)
        loss.backward()
        self._optimiser.step()
        loss.item()

    def _item(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        sample = self._samples[index]
        with Image.open(sample.image) as file:
            image = file.convert("L").resize(self._size, Image.Resampling.BILINEAR)
        mask = Image.fromarray(sample.mask * 255).resize(self._size, Image.Resampling.BILINEAR)
        if random.random() < 0.5:
            angle = random.uniform(-5, 5)
            image, mask = image.rotate(angle), mask.rotate(angle)
        if random.random() < 0.5:
            shift = (1, 0, random.uniform(-0.1, 0.1), 0, 1, random.uniform(-0.1, 0.1))
            image, mask = (
                plane.transform(self._size, Image.Transform.AFFINE, shift)
                for plane in (image, mask)
            )
        grey = (_tensor(image) - 0.333) / 0.239
        return grey.clamp(0, 1), _tensor(mask)


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, np.float32) / 255)[None]


def _dice_loss(probable: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    both = (probable * truth).sum()
    return 1 - (2 * both + 1e-5) / (probable.sum() + truth.sum() + 1e-5)


class Ours:
    """A step as `engine.train` takes it."""

    def __init__(self, config: TrainConfig, samples: Sequence[Sample]) -> None:
        device = choose_device(config.device)
        self._config = config
        self._trainer = Trainer(build_net(config.model), config, Team(device), 1000)
        self._generator = torch.Generator().manual_seed(0)
        start = time.perf_counter()
        self._cache = _finish(build_cache(samples, config.image_size, 1, 1, config.normalise))
        self.reading = (time.perf_counter() - start) / len(samples)
        self.precision = str(self._trainer.dtype).removeprefix("torch.")

    def step(self, indices: Sequence[int]) -> None:
        """Take a step on a batch of the cache."""
        batch = self._cache.take(np.asarray(indices))
        images, masks = augment(*batch, self._config.augment, self._generator)
        self._trainer.step(images, masks, 0)


def _finish(generator: Any) -> Any:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def compare(config: TrainConfig, samples: Sequence[Sample], rounds: int) -> dict[str, Any]:
    ours, published = Ours(config, samples), Published(config, samples)
    order = np.random.default_rng(0)

    def batch() -> list[int]:
        return order.integers(0, len(samples), config.batch_size).tolist()

    rates: dict[str, list[float]] = {"ours": [], "published": []}
    for number in range(rounds + 1):
        for name, step in (("ours", ours.step), ("published", published.step)):
            seconds = _timed(step, [batch() for _ in range(STEPS)])
            if number:  # the first round prepares the kernels
                rates[name].append(STEPS * config.batch_size / seconds)
    return {
        "precision": ours.precision,
        "ours": round(median(rates["ours"]), 2),
        "published": round(median(rates["published"]), 2),
        "ratio": round(median(rates["ours"]) / median(rates["published"]), 2),
        "reading_ms_per_sample": round(1000 * ours.reading, 2),
    }


def _timed(step: Callable[[list[int]], None], batches: list[list[int]]) -> float:
    start = time.perf_counter()
    for indices in batches:
        step(indices)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--name", required=True, help="of the machine")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    preset = PRESETS["optimised"]
    config = preset.replace(model=preset.model.replace(width=given.width))
    samples = [s for s in tumorseg_samples(given.folder).samples if s.split == "train"][:400]
    result = {"name": given.name, "width": given.width, "threads": torch.get_num_threads()}
    result |= compare(config, samples, given.rounds)
    write_record("training", f"{given.name} {given.width}".replace(",", ""), result)


if __name__ == "__main__":
    main()
