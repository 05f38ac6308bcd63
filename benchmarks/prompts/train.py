"""Train the prompt network on real slices and synthetic heads.

    python -m benchmarks.prompts.cache DATA CACHE
    python -m benchmarks.prompts.train CACHE --run runs/prompts [--steps 12000] [--size 160]

A step takes 0.9 seconds of one core with native bfloat16. Run again, it goes on where it was
interrupted; steps and size may change then. The learning rate stays at its peak and falls to zero
over the last third of the steps. A network of the bundled model's width starts from its
weights, or from those of `--start`.
The statistics of its batch norms are learnt slowly and stay from `SETTLED` of the steps on: those
of a few batches, half real and half drawn, are those of neither, and its answers swung with them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from benchmarks.common.options import given_to, parser_of
from benchmarks.prompts.cache import write_cache
from benchmarks.prompts.rendering import SLICES
from benchmarks.prompts.robot import boxed, clicked, dice
from benchmarks.prompts.slices import Slices, batch
from benchmarks.prompts.synthetic import data
from benchmarks.prompts.targets import labelled, visible
from napari_unet_seg import __version__
from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.data.prompts.simulation import after_rounds, with_maps
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import CheckpointInfo
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import (
    load_tensors,
    load_weights,
    save_checkpoint,
    with_prompts,
)
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.training.distributed import join_processes
from napari_unet_seg.training.trainer import Trainer

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
TARGET = (Category(id=1, name="target", supercategory=""),)
FALL = 1 / 3
SETTLED = 0.3
"""Share of the steps after which the statistics of batch norms stay as they are."""
MOMENTUM = 0.01
"""Share of a batch in the statistics of batch norms."""
SAVED = 180
"""Seconds between two checkpoints."""
MEASURED = 40
"""Held-out slices of each kind that are measured during training."""


class LongTrainer(Trainer):
    """A trainer whose rate stays high, so that the length of the run may be decided later."""

    settled = False

    def learning_rate(self, step: int) -> float:
        """Rate of a step counted from 0."""
        peak, total = self._config.learning_rate, self._total_steps
        rise = max(1, round(self._config.warm_up * total))
        return peak * max(0.0, min(1.0, (step + 1) / rise, (total - step) / (FALL * total)))

    def settle(self, step: int) -> None:
        """Keep the statistics of batch norms if the step is late enough."""
        if not self.settled and step >= SETTLED * self._total_steps:
            self.keep_statistics()
            self.settled = True


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


def evaluate(trainer: Trainer, sets: dict[str, list[tuple[Array, Array]]]) -> str:
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


def write(path: Path, trainer: Trainer, step: int) -> None:
    """Everything that going on takes."""
    info = CheckpointInfo(
        version=__version__,
        model=trainer.net.config,
        categories=TARGET,
        normalise=CONFIG.normalise,
        image_size=CONFIG.image_size,
        summary={"source": "BRISC 2025 and synthetic heads", "steps": step},
        epoch=step,
    )
    save_checkpoint(path / "last.safetensors", trainer.net, info, trainer.state())
    with trainer.averaged():
        save_checkpoint(path / "best.safetensors", trainer.net, info)


def progress(losses: list[float], scores: list[list[float]]) -> str:
    """Mean loss, and the mean Dice of the answers that were corrected, by round."""
    found = ", ".join(f"{np.mean(s):.3f}" if s else "-" for s in scores)
    return f"loss {np.mean(losses):.4f}, Dice after 1, 2, 3 rounds {found}"


def log(run: Path, text: str) -> None:
    line = f"{time.strftime('%H:%M:%S')} {text}\n"
    sys.stdout.write(line)
    sys.stdout.flush()
    with (run / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line)


def started(run: Path, start: Path, config: TrainConfig, steps: int) -> tuple[LongTrainer, int]:
    """The trainer of a run, and the step that it goes on with."""
    last = run / "last.safetensors"
    net = build_net(config.model)
    for layer in net.modules():
        if isinstance(layer, _BatchNorm):
            layer.momentum = MOMENTUM
    info, tensors = load_tensors(last if last.is_file() else start)
    if info.model.width == config.model.width:
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
    slices, sets = Slices(given.folder), held_out(given.folder, given.measured)
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
            write(given.run, trainer, step + 1)
            saved = time.time()


def smoke_cache(folder: Path) -> Path:
    """A cache of phantoms."""
    write_cache(data(folder), folder / "cache", 1, 1, 1)
    return folder / "cache"


def main() -> None:
    parser = parser_of(__doc__, "CACHE")
    parser.add_argument("--run", type=Path, default=Path("runs/prompts"))
    parser.add_argument("--start", type=Path, default=BUNDLED, help="checkpoint to start from")
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--rate", type=float, default=CONFIG.learning_rate)
    parser.add_argument("--width", type=int, default=CONFIG.model.width)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--every", type=int, default=50, help="steps between lines of the log")
    parser.add_argument("--measure", type=int, default=500, help="steps between measurements")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(measured=MEASURED, batch=CONFIG.batch_size)
    smallest = {"steps": 2, "size": 64, "every": 1, "measure": 2, "measured": 1, "batch": 2}
    with given_to(parser, smoke_cache, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.smoke:
            given.run = given.scratch / "run"
        run_training(given)


if __name__ == "__main__":
    main()
