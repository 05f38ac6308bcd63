"""Training of an automatic model on batches that are drawn, with a log and a checkpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common.long_training import (
    SAVED,
    LongTrainer,
    learn_statistics_slowly,
    log,
    write,
)
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights
from napari_unet_seg.nn.devices import choose_device
from napari_unet_seg.training.distributed import join_processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from napari_unet_seg.config import Category, TrainConfig

    Draw = Callable[[np.random.Generator], tuple[torch.Tensor, torch.Tensor]]
    """Draws images (B, 1, Y, X) in 0…1 and masks (B, Y, X), uint8."""

SHOWN = 50
"""Steps between two lines of the log."""


class DrawnTraining:
    """A run that goes on where it was interrupted.

    Parameters
    ----------
    run : Path
        Its folder, with `log.txt`, `last.safetensors` to go on from and `best.safetensors`, the
        averaged weights.
    config : TrainConfig
        Settings of the network and its training.
    found : Category
        What the network finds.
    source : str
        What it learns from.
    steps : int
        Length of the run, which may change when it goes on.
    start : Path, optional
        Checkpoint to start from.
    """

    def __init__(
        self,
        run: Path,
        config: TrainConfig,
        found: Category,
        source: str,
        steps: int,
        start: Path | None = None,
    ) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self._run, self._config, self._found, self._source = run, config, found, source
        self._steps = steps
        last = run / "last.safetensors"
        net = build_net(config.model)
        begin = last if last.is_file() else start
        if begin:
            info, tensors = load_tensors(begin)
            load_weights(net, tensors, begin)
        if start:
            learn_statistics_slowly(net)
        processes = join_processes(choose_device(config.device))
        self._trainer = LongTrainer(net, config, processes, steps)
        self._settles = start is not None
        self._done = 0
        if last.is_file():
            self._trainer.load_state(tensors)
            self._done = info.epoch

    def learn(self, draw: Draw) -> None:
        """Take all steps that are left."""
        log(self._run, f"step {self._done} of {self._steps}")
        losses, begin, saved = [], time.time(), time.time()
        for step in range(self._done, self._steps):
            images, masks = draw(np.random.default_rng((self._config.seed, step)))
            if self._settles:
                self._trainer.settle(step)
            losses.append(self._trainer.step(images, masks, step))
            if (step + 1) % SHOWN == 0 or step + 1 == self._steps:
                seconds = (time.time() - begin) / len(losses)
                log(self._run, f"step {step + 1}: loss {np.mean(losses):.4f}, {seconds:.2f} s each")
                losses, begin = [], time.time()
            if time.time() - saved > SAVED or step + 1 == self._steps:
                write(self._run, self._trainer, self._config, self._found, self._source, step + 1)
                saved = time.time()
