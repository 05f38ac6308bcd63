"""What trainings of hours share: their options, their trainer, their log and their checkpoints."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from benchmarks.common.options import given_to
from napari_unet_seg import __version__
from napari_unet_seg.models.header import CheckpointInfo
from napari_unet_seg.nn.checkpoint import save_checkpoint
from napari_unet_seg.training.trainer import Trainer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from torch import nn

    from napari_unet_seg.config import Category, TrainConfig

FALL = 1 / 3
"""Share of the steps in which the learning rate falls to zero."""
SETTLED = 0.3
"""Share of the steps after which the statistics of batch norms stay as they are."""
MOMENTUM = 0.01
"""Share of a batch in the statistics of batch norms."""
SAVED = 180
"""Seconds between two checkpoints."""


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


def learn_statistics_slowly(net: nn.Module) -> None:
    """Let the statistics of batch norms follow many batches, not the last few."""
    for layer in net.modules():
        if isinstance(layer, _BatchNorm):
            layer.momentum = MOMENTUM


def write(
    run: Path, trainer: Trainer, config: TrainConfig, found: Category, source: str, step: int
) -> None:
    """Write everything that going on takes, and the averaged weights."""
    info = CheckpointInfo(
        version=__version__,
        model=trainer.net.config,
        categories=(found,),
        normalise=config.normalise,
        image_size=config.image_size,
        summary={"source": source, "steps": step},
        epoch=step,
    )
    save_checkpoint(run / "last.safetensors", trainer.net, info, trainer.state())
    with trainer.averaged():
        save_checkpoint(run / "best.safetensors", trainer.net, info)


def log(run: Path, text: str) -> None:
    """Print a line, and add it to the log of a run."""
    line = f"{time.strftime('%H:%M:%S')} {text}\n"
    sys.stdout.write(line)
    sys.stdout.flush()
    with (run / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line)


@contextmanager
def given_to_training(
    parser: argparse.ArgumentParser,
    make: Callable[[Path], Path],
    run: str,
    steps: int,
    **smallest: Any,
) -> Iterator[argparse.Namespace]:
    """Parse the command line of a training: its own options, and `--run`, `--steps`, `--threads`.

    Parameters are those of `given_to`, and the default folder and length of the run.
    """
    parser.add_argument("--run", type=Path, default=Path(run))
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, make, **{"steps": 2, **smallest}) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.smoke:
            given.run = given.scratch / "run"
        yield given
