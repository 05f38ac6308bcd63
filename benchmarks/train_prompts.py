"""Train the prompt network on real slices and synthetic heads.

    python benchmarks/prompt_slices.py BRISC CACHE
    python benchmarks/synthetic_heads.py HEADS CACHE/heads
    python benchmarks/synthetic_heads.py HEADS CACHE/held_out --held-out --renditions 18
    python benchmarks/train_prompts.py CACHE --run runs/prompts [--steps 12000] [--size 160]

Run again, it goes on where it was interrupted; steps and size may change then. The learning rate
stays at its peak and falls to zero over the last third of the steps.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from prompt_robot import boxed, clicked, dice
from prompt_slices import Slices, batch
from prompt_targets import labelled

from napari_unet_seg import __version__
from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.data.prompts.marks import corrected
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import CheckpointInfo
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_net, load_tensors, load_weights, save_checkpoint
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.training.distributed import make_team
from napari_unet_seg.training.trainer import Trainer

if TYPE_CHECKING:
    from napari_unet_seg.nn.build import Net

Array = np.ndarray[Any, np.dtype[Any]]

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
ROUNDS = (0.4, 0.25, 0.2, 0.15)
"""Chances of so many rounds of the network's own answer before the one that it learns from."""
FALL = 1 / 3
MEASURED = 40
"""Held-out slices of each kind that are measured during training."""


class LongTrainer(Trainer):
    """A trainer whose rate stays high, so that the length of the run may be decided later."""

    def learning_rate(self, step: int) -> float:
        """Rate of a step counted from 0."""
        peak, total = self._config.learning_rate, self._total_steps
        rise = max(1, round(self._config.warm_up * total))
        return peak * max(0.0, min(1.0, (step + 1) / rise, (total - step) / (FALL * total)))


def widened(net: Net, source: Path) -> None:
    """Take the weights of a network without prompts; the new channels start at zero."""
    _, theirs = load_net(source)
    state = theirs.state_dict()
    for name, value in net.state_dict().items():
        if value.shape != state[name].shape:
            more = torch.zeros_like(value)
            more[:, : state[name].shape[1]] = state[name]
            state[name] = more
    net.load_state_dict(state)


@torch.no_grad()
def masks_of(net: Net, images: torch.Tensor, maps: Array) -> Array:
    """Answers (B, Y, X), bool."""
    net.eval()
    seen = torch.cat([images, torch.from_numpy(maps).float()], 1)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(seen.to(memory_format=torch.channels_last))
    return (logits[:, 0] > 0).numpy()


def after_rounds(
    net: Net,
    images: torch.Tensor,
    targets: Array,
    maps: Array,
    rng: np.random.Generator,
    scores: list[list[float]],
) -> Array:
    """Maps after as many rounds as are drawn for each sample; the Dice of each round is noted."""
    rounds = rng.choice(len(ROUNDS), len(maps), p=ROUNDS)
    for number in range(rounds.max()):
        going = np.flatnonzero(rounds > number)
        answers = masks_of(net, images[going], maps[going])
        for i, answer in zip(going, answers, strict=True):
            if targets[i].any():
                scores[number].append(dice(answer, targets[i]))
            maps[i] = corrected(maps[i], answer, targets[i], rng)
    return maps


def held_out(cache: Path) -> dict[str, list[tuple[Array, Array]]]:
    """Images and truths of the held-out slices, those of BRISC and of the synthetic heads."""
    rng = np.random.default_rng(7)
    brisc = np.load(cache / "brisc-valid.npy", mmap_mode="r")
    ill = [i for i in rng.permutation(len(brisc)) if brisc[i, 1].any()][:MEASURED]
    sets = {"brisc": [(brisc[i, 0], brisc[i, 1] > 0) for i in ill], "heads": []}
    files = [np.load(f, mmap_mode="r") for f in sorted((cache / "held_out").glob("[0-9]*.npy"))]
    while len(sets["heads"]) < MEASURED:
        image, labels, near = files[rng.integers(len(files))][rng.integers(20)]
        target, _ = labelled(labels, near, rng)
        if np.count_nonzero(target) > 30:
            sets["heads"].append((image, target))
    return sets


def evaluate(net: Net, sets: dict[str, list[tuple[Array, Array]]]) -> str:
    """Mean Dice of the robot's clicks and boxes, as a line."""

    def answer(image: Array, maps: Array) -> Array:
        seen = torch.from_numpy(image.copy())[None, None].float() / 255
        return np.asarray(masks_of(net, seen, maps[None])[0])

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
        model=CONFIG.model,
        categories=TARGET,
        normalise=CONFIG.normalise,
        image_size=CONFIG.image_size,
        summary={"source": "BRISC 2025 and synthetic heads", "steps": step},
        epoch=step,
    )
    save_checkpoint(path / "last.safetensors", trainer.net, info, trainer.state())
    with trainer.averaged():
        save_checkpoint(path / "best.safetensors", trainer.net, info)


def _no_scores() -> list[list[float]]:
    return [[] for _ in ROUNDS[1:]]


def log(run: Path, text: str) -> None:
    line = f"{time.strftime('%H:%M:%S')} {text}\n"
    sys.stdout.write(line)
    sys.stdout.flush()
    with (run / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line)


def run_training(given: argparse.Namespace) -> None:
    run: Path = given.run
    run.mkdir(parents=True, exist_ok=True)
    last = run / "last.safetensors"
    net, start = build_net(CONFIG.model), 0
    config = CONFIG.replace(learning_rate=given.rate)
    if last.is_file():
        info, tensors = load_tensors(last)
        load_weights(net, tensors, last)
        start = info.epoch
    else:
        widened(net, BUNDLED)
    trainer = LongTrainer(net, config, make_team(choose_device("cpu")), given.steps)
    if start:
        trainer.load_state(tensors)
    slices, sets = Slices(given.cache), held_out(given.cache)
    log(run, f"step {start} of {given.steps}, size {given.size}")
    losses, scores, begin, saved = [], _no_scores(), time.time(), time.time()
    for step in range(start, given.steps):
        rng = np.random.default_rng((config.seed, step))
        images, targets, maps = batch(slices, given.size, config.batch_size, rng)
        maps = after_rounds(trainer.net, images, targets, maps, rng, scores)
        seen = torch.cat([images, torch.from_numpy(maps).float()], 1)
        losses.append(trainer.step(seen, torch.from_numpy(targets.astype(np.uint8)), step))
        if (step + 1) % given.every == 0:
            seconds = (time.time() - begin) / given.every
            found = ", ".join(f"{np.mean(s):.3f}" for s in scores)
            progress = f"loss {np.mean(losses):.4f}, Dice after 1, 2, 3 rounds {found}"
            log(run, f"step {step + 1}: {progress}, {seconds:.2f} s a step")
            losses, scores, begin = [], _no_scores(), time.time()
        if (step + 1) % given.measure == 0:
            with trainer.averaged():
                log(run, f"step {step + 1}: {evaluate(trainer.net, sets)}")
            slices.refresh()
            begin = time.time()
        if time.time() - saved > 180 or step + 1 == given.steps:
            write(run, trainer, step + 1)
            saved = time.time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--run", type=Path, default=Path("runs/prompts"))
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--rate", type=float, default=CONFIG.learning_rate)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--measure", type=int, default=500)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    run_training(given)


if __name__ == "__main__":
    main()
