"""The course of a training run: its state between two events."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import torch

from napari_unet_seg import __version__
from napari_unet_seg.data.augment import augment
from napari_unet_seg.data.batches import in_order, shuffled, take
from napari_unet_seg.errors import CheckpointError, EngineError
from napari_unet_seg.events import (
    BatchEnd,
    CheckpointSaved,
    Command,
    EpochEnd,
    Preview,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.io.files import atomic
from napari_unet_seg.io.run import Run, history_row
from napari_unet_seg.io.weights import CheckpointInfo
from napari_unet_seg.nn.checkpoint import save_checkpoint
from napari_unet_seg.nn.devices import choose_device, device_name
from napari_unet_seg.nn.labels import to_labels
from napari_unet_seg.nn.metrics import count
from napari_unet_seg.nn.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.cache import Cache
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import TrainEvent
    from napari_unet_seg.nn.build import Net


@dataclass(slots=True, eq=False)
class Course:
    """What changes while a run goes on; its methods yield the events of their part."""

    config: TrainConfig
    samples: SampleSet
    run: Run
    sides: dict[str, list[Sample]]
    caches: dict[str, Cache]
    net: Net
    parent: str
    notes: list[str]
    epoch: int = 0
    best_epoch: int = 0
    best_score: tuple[float, ...] = ()
    best_dice: float = math.nan
    lowest_loss: float = math.inf
    epochs_without_gain: int = 0
    trainer: Trainer = field(init=False)
    train_loss: float = math.nan
    history: list[dict[str, str]] = field(default_factory=list)
    _epoch_start: float = 0.0

    def __post_init__(self) -> None:
        device = choose_device(self.config.device)
        total = self.config.epochs * self.steps
        self.trainer = Trainer(self.net, self.config, device, total)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.sides["train"]) // self.config.batch_size)

    @property
    def goes_on(self) -> bool:
        """Whether another epoch is due."""
        patience = self.config.patience
        tired = 0 < patience <= self.epochs_without_gain
        return self.epoch < self.config.epochs and not tired

    def started(self) -> TrainStarted:
        """The event that opens a run."""
        train, valid = len(self.sides["train"]), len(self.sides["valid"])
        notes = list(self.notes)
        if not valid:
            notes.append("No scan is held out, so the training loss chooses the best.")
        if self.parent:
            notes.append("The net and its image size are those of the model it starts from.")
        return TrainStarted(
            self.run.folder,
            train,
            valid,
            self.config.epochs,
            self.steps,
            device_name(self.trainer.device),
            tuple(notes),
        )

    def train_epoch(self) -> Generator[TrainEvent, Command | None, bool]:
        """Train on every sample once; returns whether the user asked to stop."""
        self.epoch += 1
        self._epoch_start = time.perf_counter()
        config, cache = self.config, self.caches["train"]
        seed = (config.seed, self.epoch)
        epoch_seed = config.seed * 1_000_003 + self.epoch
        generator = torch.Generator().manual_seed(epoch_seed)
        torch.manual_seed(epoch_seed)  # for dropout, so that every epoch can be repeated
        losses: list[float] = []
        seen = 0
        for number, indices in enumerate(shuffled(len(cache), config.batch_size, seed), 1):
            images, masks = augment(*take(cache, indices), config.augment, generator)
            step = (self.epoch - 1) * self.steps + number - 1
            loss = self.trainer.step(images, masks, step)
            self._check_finite(loss, indices)
            losses.append(loss)
            seen += len(indices)
            self.train_loss = float(np.mean(losses))
            rate = seen / (time.perf_counter() - self._epoch_start)
            left = (config.epochs - self.epoch + 1) * len(cache) - seen
            event = BatchEnd(self.epoch, number, self.steps, loss, rate, left / rate)
            if (yield event) is Command.STOP:
                return True
        return False

    def _check_finite(self, loss: float, indices: np.ndarray) -> None:
        if not math.isfinite(loss):
            names = ", ".join(self.sides["train"][i].name for i in indices[:4])
            raise EngineError(
                f"The loss stopped being a number at epoch {self.epoch} (samples {names} …); "
                "lower the learning rate."
            )

    def end_epoch(self) -> Generator[TrainEvent, Any, None]:
        """Validate, keep the best, write the checkpoints and the history."""
        with self.trainer.averaged():
            loss, dice, preview = self._validate()
        # Equal Dice is common at the start, when a small lesion is not found at all.
        score = (float(np.nan_to_num(dice)), -loss if math.isfinite(loss) else -self.train_loss)
        is_best = score > self.best_score
        if is_best:
            self.best_score, self.best_epoch, self.best_dice = score, self.epoch, dice
        self._count_patience(loss)
        rate = self.trainer.learning_rate(self.epoch * self.steps - 1)
        seconds = time.perf_counter() - self._epoch_start
        event = EpochEnd(self.epoch, self.train_loss, loss, dice, rate, is_best, seconds)
        self.history.append(history_row(event))
        if is_best:
            with self.trainer.averaged():
                save_checkpoint(self.run.best, self.net, self._info())
        # The last checkpoint comes last: whatever is killed before it is done again from the one
        # before.
        self.run.write_history(self.history)
        save_checkpoint(self.run.last, self.net, self._info(), self.trainer.state())
        yield event
        if is_best:
            yield CheckpointSaved(self.run.best, "best", self.epoch)
        yield CheckpointSaved(self.run.last, "last", self.epoch)
        if preview is not None:
            yield preview

    def _count_patience(self, loss: float) -> None:
        if loss < self.lowest_loss - self.config.min_delta:
            self.lowest_loss, self.epochs_without_gain = loss, 0
        else:
            self.epochs_without_gain += 1

    def _validate(self) -> tuple[float, float, Preview | None]:
        """Loss and mean Dice over the validation slices, and a slice to look at."""
        cache = self.caches["valid"]
        if not len(cache):
            return math.nan, math.nan, None
        losses, dices, labels = [], [], []
        for indices in in_order(len(cache), self.config.batch_size):
            images, masks = take(cache, indices)
            loss, probable = self.trainer.validate(images, masks)
            losses.append(loss * len(indices))
            labels.append(to_labels(probable, self.trainer.head).cpu().numpy())
            dices += _dices(labels[-1], masks.numpy(), self.config.model.classes)
        dice = float(np.mean(dices)) if dices else math.nan
        return sum(losses) / len(cache), dice, self._preview(np.concatenate(labels))

    def _preview(self, labels: np.ndarray) -> Preview | None:
        every = self.config.preview_every
        if not every or self.epoch % every:
            return None
        cache = self.caches["valid"]
        shown = int(np.argmax([np.count_nonzero(cache.masks[place]) for place in cache.places]))
        (image,), (mask,) = cache.at(np.array([shown]))
        name = self.sides["valid"][shown].name
        with atomic(self.run.preview / f"epoch-{self.epoch:04d}.tif") as path:
            tifffile.imwrite(path, labels[shown], compression="deflate")
        return Preview(self.epoch, name, image[0], mask, labels[shown])

    def _info(self) -> CheckpointInfo:
        progress = {
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "lowest_loss": self.lowest_loss,
            "epochs_without_gain": self.epochs_without_gain,
        }
        figures = {"valid_dice": self.best_dice, "train_loss": self.train_loss}
        return CheckpointInfo(
            version=__version__,
            model=self.config.model,
            categories=self.samples.categories,
            normalise=self.config.normalise,
            image_size=self.config.image_size,
            summary={
                "source": self.samples.source,
                "train": len(self.sides["train"]),
                "valid": len(self.sides["valid"]),
                "options": self.config.model_dump(mode="json", exclude={"model", "normalise"}),
                "precision": str(self.trainer.dtype).removeprefix("torch."),
                "progress": {k: v for k, v in progress.items() if v != math.inf},
            },
            metrics={k: v for k, v in figures.items() if math.isfinite(v)},
            epoch=self.epoch,
            parent=self.parent,
        )

    def resume(self, info: CheckpointInfo, tensors: dict[str, torch.Tensor]) -> None:
        """Go on after the epoch that a `last` checkpoint was written at.

        Raises
        ------
        CheckpointError
            If it holds no optimiser state, as `best` checkpoints do not.
        """
        if not any(key.startswith("optimiser.") for key in tensors):
            raise CheckpointError(
                f"{self.run.folder}: only last.safetensors can be resumed; give that file."
            )
        self.trainer.load_state(tensors)
        # Timing both precisions again could choose the other one.
        self.trainer.dtype = getattr(torch, info.summary["precision"])
        self.epoch = info.epoch
        self.history = self.run.history(info.epoch)
        for name, value in info.summary["progress"].items():
            setattr(self, name, value)
        self.best_score = tuple(self.best_score)
        self.best_dice = info.metrics.get("valid_dice", math.nan)
        self.parent = info.parent

    def finished(self, stopped: bool) -> TrainFinished:
        """The event that closes a run."""
        return TrainFinished(
            self.run.best, self.run.last, self.epoch, self.best_epoch, self.best_dice, stopped
        )


def _dices(labels: np.ndarray, truth: np.ndarray, classes: int) -> list[float]:
    """Dice of each pair of slice and class that is in the truth or the prediction."""
    counts = [
        count(found, true, value)
        for found, true in zip(labels, truth, strict=True)
        for value in range(1, classes + 1)
    ]
    return [c.dice for c in counts if c.tp + c.fp + c.fn]
