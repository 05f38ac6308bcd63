"""Samples per second of this trainer against the published project's loop.

    python -m benchmarks.speed.training TUMORSEG --name "two cores, AVX-512 bfloat16" [--width 16]

All train the same net on the same files with the same batch, each in a process of its own, a few
steps of the one after a few of the other; the medians are compared. The published loop decodes,
resizes and rotates each sample with PIL whenever it is drawn, in float32 with channels first. Its
net interpolates before the 1×1 convolution that halves the width; this package's narrows first,
the same function with a quarter of that step's work; the published loop is measured on either.
This trainer reads every file once, which is timed apart, and augments the batch; its precision is
the one that it finds to be the faster, and it keeps freed memory. `ONEDNN_MAX_CPU_ISA=AVX2` shows a
processor without bfloat16; the figures are kept under `--name`.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.common.interleaved import Child, go_round, serve
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import SMALL_RUN, tumorseg
from benchmarks.common.tumorseg_data import tumorseg_samples
from napari_unet_seg.config import PRESETS, TrainConfig
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.cache import build_cache
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.process.engine_process import KEEP_MEMORY
from napari_unet_seg.training.distributed import ProcessGroup
from napari_unet_seg.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg.data.samples import Sample

STEPS = 2
"""Of each way in a round."""
WAYS = ("ours", "published", "published_loop")


def as_published(net: Any) -> Any:
    """Let the expansive path interpolate first, corners aligned, and narrow then."""
    for up in net.ups:
        narrow, _, *others = up.up
        interpolation = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        up.up = nn.Sequential(interpolation, narrow, *others)
    return net


class Published:
    """The published loop, written from its description: sample by sample, float32, NCHW."""

    def __init__(self, config: TrainConfig, samples: Sequence[Sample], net: Any) -> None:
        self._size = (config.image_size, config.image_size)
        self._samples = samples
        self._net = net
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
        self._trainer = Trainer(build_net(config.model), config, ProcessGroup(device), 1000)
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


def compare(
    arguments: list[str], batch_size: int, rounds: int, ways: Sequence[str]
) -> dict[str, Any]:
    # The program starts its engine with freed memory kept; a script of one's own runs as it is.
    children = {
        way: Child(__spec__.name, [*arguments, "--way", way], KEEP_MEMORY if way == "ours" else {})
        for way in ways
    }
    described = children["ours"].described
    answers = go_round(children, rounds)
    samples = STEPS * batch_size
    return described | {
        way: round(samples / median(answer["seconds"] for answer in answers[way]), 2)
        for way in ways
    }


def work(way: str, config: TrainConfig, samples: Sequence[Sample]) -> None:
    """Take steps whenever the parent asks."""
    order = np.random.default_rng(0)
    described: dict[str, Any] = {}
    if way == "ours":
        ours = Ours(config, samples)
        step: Callable[[Sequence[int]], None] = ours.step
        described = {
            "precision": ours.precision,
            "threads": torch.get_num_threads(),
            "reading_ms_per_sample": round(1000 * ours.reading, 2),
        }
    else:
        net = build_net(config.model)
        net = as_published(net) if way == "published" else net
        step = Published(config, samples, net).step

    def steps() -> None:
        for _ in range(STEPS):
            step(order.integers(0, len(samples), config.batch_size).tolist())

    serve(steps, described)


def main() -> None:
    parser = parser_of(__doc__, "TUMORSEG")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--name", required=True, help="of the machine")
    parser.add_argument("--preset", choices=["base", "optimised"], default="optimised")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.set_defaults(changes={}, ways=WAYS)
    small = SMALL_RUN | {"batch_size": 2}
    with given_to(parser, tumorseg, width=4, rounds=1, changes=small, ways=WAYS[:2]) as given:
        preset = PRESETS[given.preset]
        model = preset.model.replace(width=given.width)
        config = preset.replace(model=model, **given.changes)
        if given.way:
            samples = [s for s in tumorseg_samples(given.folder).samples if s.split == "train"][
                :400
            ]
            work(given.way, config, samples)
            return
        result = {"name": given.name, "preset": given.preset, "width": given.width}
        result |= compare(sys.argv[1:], config.batch_size, given.rounds, given.ways)
        write_record(
            "training",
            f"{given.name} {given.preset} {given.width}".replace(",", ""),
            result,
            keep=not given.smoke,
        )


if __name__ == "__main__":
    main()
