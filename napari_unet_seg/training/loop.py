"""The training loop: state of a run, and the events of its epochs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import torch

from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.augment.leave_out import leave_out
from napari_unet_seg.data.batches import shuffled
from napari_unet_seg.data.prompts.simulation import prompted
from napari_unet_seg.data.prompts.slices_beside import SlicesBeside, parted
from napari_unet_seg.errors import EngineError
from napari_unet_seg.events import (
    BatchEnd,
    CheckpointSaved,
    Command,
    EpochEnd,
    Preview,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.inference.predicted_dice import Calibration
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.nn.checkpoint import save_checkpoint
from napari_unet_seg.nn.devices import choose_device, device_name
from napari_unet_seg.training.distributed import ProcessGroup, join_processes
from napari_unet_seg.training.held_out.best import Best
from napari_unet_seg.training.held_out.validation import validate
from napari_unet_seg.training.run import Run, has_next_epoch, header_of, history_row
from napari_unet_seg.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import TrainEvent
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net
    from napari_unet_seg.training.held_out.validation import PreviewSlice, Validation


@dataclass(slots=True, eq=False)
class TrainingLoop:
    """State of a training run; the methods yield the events of an epoch."""

    config: TrainConfig
    samples: SampleSet
    run: Run
    splits: dict[str, list[Sample]]
    items: dict[str, SplitItems]
    net: Net
    parent: str
    notes: list[str]
    recipe: str = ""
    start: Net | None = None
    """Copy of the net, on the CPU, of a run whose model is the best until an epoch has gained."""
    epoch: int = 0
    best: Best = field(default_factory=Best)
    lowest_loss: float = math.inf
    epochs_without_gain: int = 0
    trainer: Trainer = field(init=False)
    processes: ProcessGroup = field(init=False)
    train_loss: float = math.nan
    calibration: Calibration = field(default_factory=Calibration)
    """From the validation split, or of the initial model if the validation split is too small."""
    history: list[dict[str, str]] = field(default_factory=list)
    _beside: SlicesBeside = field(init=False)
    _epoch_start: float = 0.0
    _start_info: CheckpointInfo | None = None

    def __post_init__(self) -> None:
        self.processes = join_processes(choose_device(self.config.device))
        if len(self.items["train"]) < self.processes.size:
            raise EngineError(
                f"{self.processes.size} processes cannot share {len(self.items['train'])} training "
                "samples; start fewer processes."
            )
        total = self.config.epochs * self.steps
        self.trainer = Trainer(self.net, self.config, self.processes, total)
        self._beside = SlicesBeside(self.splits["train"])

    @property
    def steps(self) -> int:
        """Number of steps of an epoch."""
        return -(-len(self.items["train"]) // self._batch)

    @property
    def _batch(self) -> int:
        """Number of samples of a step, over all processes."""
        return min(self.config.batch_size * self.processes.size, len(self.items["train"]))

    @property
    def has_next_epoch(self) -> bool:
        """Whether the run continues."""
        return has_next_epoch(self.config, self.epoch, self.epochs_without_gain)

    def started(self) -> TrainStarted:
        """Return the first event of the run."""
        train, valid = len(self.splits["train"]), len(self.splits["valid"])
        notes = list(self.notes)
        if not valid:
            notes.append("No scan is held out, so the training loss chooses the best checkpoint.")
        if self.parent:
            notes.append("Architecture and image size are those of the initial model.")
        return TrainStarted(
            self.run.folder,
            train,
            valid,
            self.config.epochs,
            self.steps,
            device_name(self.trainer.device),
            tuple(notes),
            self.recipe,
        )

    def measure_start(self) -> None:
        """Validate the model that the run starts from, if it competes with the epochs."""
        if self.start is not None:
            held_out = self._validate()
            self.best = Best.of_start(held_out)
            self._start_info = header_of(self)

    def train_epoch(self) -> Generator[TrainEvent, Command | None, bool]:
        """Train on every sample once; return whether the user asked to stop."""
        self.epoch += 1
        self._epoch_start = time.perf_counter()
        config, items = self.config, self.items["train"]
        seed = (config.seed, self.epoch)
        epoch_seed = (
            config.seed * 1_000_003 + self.epoch
        ) * self.processes.size + self.processes.rank
        generator = torch.Generator().manual_seed(epoch_seed)
        torch.manual_seed(epoch_seed)  # for dropout, so that every epoch is reproducible
        losses: list[float] = []
        seen = 0
        for number, indices in enumerate(shuffled(len(items), self._batch, seed), 1):
            rng = np.random.default_rng((*seed, number, self.processes.rank))
            images, masks = self._changed(self.processes.shard(indices), generator, rng)
            step = (self.epoch - 1) * self.steps + number - 1
            loss = self.trainer.step(images, masks, step)
            self._check_finite(loss, indices)
            losses.append(loss)
            seen += len(indices)
            self.train_loss = float(np.mean(losses))
            rate = seen / (time.perf_counter() - self._epoch_start)
            remaining = (config.epochs - self.epoch + 1) * len(items) - seen
            event = BatchEnd(self.epoch, number, self.steps, loss, rate, remaining / rate)
            if any(self.processes.all_gather((yield event) is Command.STOP)):
                return True
        return False

    def _changed(
        self, indices: np.ndarray, generator: torch.Generator, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take a batch, change it at random, and prompt for something if the net takes prompts."""
        augmentation, prompts = self.config.augment, self.config.model.prompts
        before, masks = self.items["train"].take(indices, generator)
        if prompts:
            masks = self._beside.joined(masks, self.items["train"], indices, rng)
        images, masks = augment(before, masks, augmentation, generator)
        if len(self.samples.sequences) > 1:
            images = leave_out(images, before, augmentation.leave_out, generator)
        if prompts:
            images, masks = prompted(images, *parted(masks), self.trainer.answers, rng)
        return images, masks

    def _check_finite(self, loss: float, indices: np.ndarray) -> None:
        if not math.isfinite(loss):
            names = ", ".join(self._name("train", i) for i in indices[:4])
            raise EngineError(
                f"The loss is not a finite number in epoch {self.epoch} (samples {names} …); "
                "lower the learning rate."
            )

    def end_epoch(self) -> Generator[TrainEvent, Any, None]:
        """Validate, and write the checkpoints and the history."""
        with self.trainer.averaged():
            held_out = self._validate()
        loss, dice = held_out.loss, held_out.dice
        is_best = self.best.offer(self.epoch, held_out, self.train_loss, self._patients)
        self._count_patience(loss)
        rate = self.trainer.learning_rate(self.epoch * self.steps - 1)
        seconds = time.perf_counter() - self._epoch_start
        event = EpochEnd(self.epoch, self.train_loss, loss, dice, rate, is_best, seconds)
        self.history.append(history_row(event))
        if self.processes.rank == 0:
            self._write(is_best)
        self.processes.all_gather(None)  # waits, so that no process reads a file before it is whole
        yield event
        if is_best or self.start is not None:
            yield CheckpointSaved(self.run.best, "best", self.best.epoch)
        self.start = None
        yield CheckpointSaved(self.run.last, "last", self.epoch)
        preview = self._preview(held_out.preview)
        if preview is not None:
            yield preview

    @property
    def _patients(self) -> list[str]:
        return [sample.group for sample in self.splits["valid"]]

    def _validate(self) -> Validation:
        """Validate the trainer's net; keep the calibration if there are enough slices."""
        batch, classes = self.config.batch_size, self.config.model.classes
        held_out = validate(
            self.trainer, self.items["valid"], batch, classes, self.processes, self._patients
        )
        if held_out.calibration.knots:
            self.calibration = held_out.calibration
        return held_out

    def _write(self, is_best: bool) -> None:
        best = self.run.inside(self.run.best.name)
        if is_best:
            with self.trainer.averaged() as net:
                save_checkpoint(best, net, header_of(self))
        elif self.start is not None and self._start_info is not None:
            # Not before the first epoch has ended: a run that is stopped earlier leaves no model.
            save_checkpoint(best, self.start, self._start_info)
        # The last checkpoint is written last: a run killed before that repeats the whole epoch.
        self.run.write_history(self.history)
        save_checkpoint(
            self.run.inside(self.run.last.name), self.net, header_of(self), self.trainer.state()
        )

    def _count_patience(self, loss: float) -> None:
        if loss < self.lowest_loss - self.config.min_delta:
            self.lowest_loss, self.epochs_without_gain = loss, 0
        else:
            self.epochs_without_gain += 1

    def _name(self, split: str, index: int) -> str:
        return self.splits[split][self.items[split].owner(index)].name

    def _preview(self, preview: PreviewSlice | None) -> Preview | None:
        every = self.config.preview_every
        if preview is None or not every or self.epoch % every:
            return None
        if self.processes.rank == 0:
            with atomic(self.run.inside(f"preview/epoch-{self.epoch:04d}.tif")) as path:
                tifffile.imwrite(path, preview.labels, compression="deflate")
        name = self.splits["valid"][preview.owner].name
        return Preview(self.epoch, name, preview.image, preview.truth, preview.labels)

    def resume(self, info: CheckpointInfo, tensors: dict[str, torch.Tensor]) -> None:
        """Restore the state of a run from its `last` checkpoint.

        Parameters
        ----------
        info : CheckpointInfo
            Header of the checkpoint.
        tensors : dict of str to Tensor
            All tensors of the checkpoint.

        Raises
        ------
        CheckpointError
            If the checkpoint holds no optimiser state, as for example a `best` checkpoint.
        """
        self.run.check_resumable(info, tensors)
        self.trainer.load_state(tensors)
        # A second measurement of both precisions could choose the other precision.
        self.trainer.dtype = getattr(torch, info.summary["precision"])
        self.epoch = info.epoch
        self.history = self.run.history(info.epoch)
        progress = info.summary["progress"]
        self.best = Best.resumed(progress, info.metrics.get("valid_dice", math.nan))
        self.lowest_loss = progress.get("lowest_loss", math.inf)
        self.epochs_without_gain = progress["epochs_without_gain"]
        self.parent = info.parent

    def finished(self, stopped: bool) -> TrainFinished:
        """Return the last event of the run."""
        return TrainFinished(
            self.run.best, self.run.last, self.epoch, self.best.epoch, self.best.dice, stopped
        )
