"""Train the prompt network on real slices and synthetic heads.

    python -m benchmarks.prompts.cache DATA CACHE
    python -m benchmarks.prompts.train CACHE --run runs/prompts [--steps 12000] [--size 160]

A step takes 0.9 seconds of one core with native bfloat16. Run again, it goes on where it was
interrupted; steps and size may change then. The learning rate stays at its peak and falls to zero
over the last third of the steps. A network starts from the bundled model's weights, or from those
of `--start`; a wider one begins as the same function.
The statistics of its batch norms are learnt slowly and stay from `SETTLED` of the steps on: those
of a few batches, half real and half drawn, are those of neither, and its answers swung with them.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.common.long_training import (
    SAVED,
    LongTrainer,
    given_to_training,
    learn_statistics_slowly,
    log,
    write,
)
from benchmarks.common.options import parser_of
from benchmarks.common.wider import widened
from benchmarks.prompts.cache import smoke_cache
from benchmarks.prompts.rendering import SLICES
from benchmarks.prompts.robot import boxed, clicked, dice
from benchmarks.prompts.slices import LESIONS, Shares, Slices, batch
from benchmarks.prompts.targets import labelled, visible
from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.data.prompts.simulation import after_rounds, with_maps
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights, with_prompts
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.training.distributed import join_processes

if TYPE_CHECKING:
    import argparse

    from napari_unet_seg.arrays import Array


CONFIG = TrainConfig(
    batch_size=16,
    learning_rate=1e-3,
    warm_up=0.02,
    ema=0.998,
    image_size=256,
    precision="bfloat16",
    model=ModelConfig(width=16, depth=4, prompts=True),
)
TARGET = Category(id=1, name="target", supercategory="")
SOURCE = "BRISC 2025 and synthetic heads"
MEASURED = 40
"""Held-out slices of each kind that are measured during training."""


def held_out(cache: Path, count: int) -> dict[str, list[tuple[Array, Array]]]:
    """Images and truths of the held-out slices, those of BRISC and of the synthetic heads."""
    rng = np.random.default_rng(7)
    brisc = np.load(cache / "brisc-valid.npy", mmap_mode="r")
    ill = [i for i in rng.permutation(len(brisc)) if brisc[i, 1].any()][:count]
    sets = {"brisc": [(brisc[i, 0], brisc[i, 1] > 0) for i in ill], "heads": []}
    files = [np.load(f, mmap_mode="r") for f in sorted((cache / "held_out").glob("[0-9]*.npy"))]
    while len(sets["heads"]) < count:
        image, labels, near = files[rng.integers(len(files))][rng.integers(SLICES)]
        target, _ = labelled(image, labels, near, rng)
        if np.count_nonzero(target) > 30 and visible(image, target):
            sets["heads"].append((image, target))
    return sets


def evaluate(trainer: LongTrainer, sets: dict[str, list[tuple[Array, Array]]]) -> str:
    """Mean Dice of the robot's clicks and boxes, as a line."""

    def answer(image: Array, maps: Array) -> Array:
        seen = torch.from_numpy(image.copy())[None, None].float() / 255
        return np.asarray(trainer.answers(with_maps(seen, maps[None]))[0])

    lines = []
    for name, cases in sets.items():
        rng = np.random.default_rng(0)
        scores = np.mean([clicked(answer, *case, rng, 5) for case in cases], 0)
        box = np.mean([boxed(answer, *case, rng) for case in cases])
        clicks = " ".join(f"{scores[n - 1]:.3f}" for n in (1, 2, 3, 5))
        lines.append(f"{name} clicks 1 2 3 5: {clicks}, box {box:.3f}")
    return "; ".join(lines)


def progress(losses: list[float], scores: list[list[float]]) -> str:
    """Mean loss, and the mean Dice of the answers that were corrected, by round."""
    found = ", ".join(f"{np.mean(s):.3f}" if s else "-" for s in scores)
    return f"loss {np.mean(losses):.4f}, Dice after 1, 2, 3 rounds {found}"


def started(run: Path, start: Path, config: TrainConfig, steps: int) -> tuple[LongTrainer, int]:
    """The trainer of a run, and the step that it goes on with."""
    last = run / "last.safetensors"
    net = build_net(config.model)
    learn_statistics_slowly(net)
    if not last.is_file() and read_header(start).model.width != config.model.width:
        start = widened(start, config.model.width, run / "start.safetensors")
    info, tensors = load_tensors(last if last.is_file() else start)
    load_weights(net, with_prompts(net, tensors), last)
    trainer = LongTrainer(net, config, join_processes(choose_device(config.device)), steps)
    if not last.is_file():
        return trainer, 0
    trainer.load_state(tensors)
    return trainer, info.epoch


def run_training(given: argparse.Namespace) -> None:
    given.run.mkdir(parents=True, exist_ok=True)
    config = CONFIG.replace(
        learning_rate=given.rate,
        device=given.device,
        model=CONFIG.model.replace(width=given.width),
    )
    trainer, start = started(given.run, given.start, config, given.steps)
    slices = Slices(given.folder, LESIONS if given.lesions else Shares())
    sets = held_out(given.folder, given.measured)
    log(given.run, f"step {start} of {given.steps}, size {given.size}")
    losses, scores, begin, saved = [], [[], [], []], time.time(), time.time()
    for step in range(start, given.steps):
        rng = np.random.default_rng((CONFIG.seed, step))
        images, targets, maps = batch(slices, given.size, given.batch, rng)
        seen, answers = after_rounds(images, targets, maps, trainer.answers, rng)
        for noted, (asked, found) in zip(scores, answers, strict=False):
            noted += [
                dice(f, targets[i] > 0)
                for i, f in zip(asked, found, strict=True)
                if targets[i].any()
            ]
        trainer.settle(step)
        losses.append(trainer.step(seen, torch.from_numpy(targets), step))
        if (step + 1) % given.every == 0:
            seconds = (time.time() - begin) / given.every
            log(given.run, f"step {step + 1}: {progress(losses, scores)}, {seconds:.2f} s a step")
            losses, scores, begin = [], [[], [], []], time.time()
        if (step + 1) % given.measure == 0:
            with trainer.averaged():
                log(given.run, f"step {step + 1}: {evaluate(trainer, sets)}")
            slices.refresh()
            begin = time.time()
        if time.time() - saved > SAVED or step + 1 == given.steps:
            write(given.run, trainer, CONFIG, TARGET, SOURCE, step + 1)
            saved = time.time()


def main() -> None:
    parser = parser_of(__doc__, "CACHE")
    parser.add_argument("--start", type=Path, default=BUNDLED, help="checkpoint to start from")
    parser.add_argument("--lesions", action="store_true", help="real slices alone")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--rate", type=float, default=CONFIG.learning_rate)
    parser.add_argument("--width", type=int, default=CONFIG.model.width)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--every", type=int, default=50, help="steps between lines of the log")
    parser.add_argument("--measure", type=int, default=500, help="steps between measurements")
    parser.set_defaults(measured=MEASURED, batch=CONFIG.batch_size)
    smallest = {"size": 64, "every": 1, "measure": 2, "measured": 1, "batch": 2}
    with given_to_training(parser, smoke_cache, "runs/prompts", 12_000, **smallest) as given:
        run_training(given)


if __name__ == "__main__":
    main()
