"""Fine-tuning, and the comparison of the model before and after, as a generator of events."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_unet_seg.config import PredictConfig, TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import (
    Command,
    DiceChange,
    Evaluated,
    FineTuned,
    ItemDone,
    SampleMeasured,
    TrainFinished,
)
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.models.header import read_header
from napari_unet_seg.training.replay import MEASURED, draw, names, previous_samples
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.data.samples import Sample

    Events = Generator[Any, Command | None, None]
    Stream = Callable[..., Events]
    _Result = Generator[Any, Command | None, Any]


_GROWN_RATE = TrainConfig().learning_rate
"""Lowest learning rate of a network whose last layer has grown. New categories start rare, and at
the rate of fine-tuning they still are after 240 steps (Dice 0.00; at this rate 0.89)."""


def fine_tune(
    config: TrainConfig,
    base: Path,
    samples: SampleSet,
    run: Path,
    stream: Stream,
    *,
    previous_data: Path | None = None,
) -> Generator[Any, Command | None, FineTuned | None]:
    """Fine-tune a model on new samples, and measure it before and after.

    It stays as it is if no epoch is better on the held-out samples beyond chance, see
    `engine.train`.

    Against forgetting, a share of the data that the model was trained on is replayed if the data
    can still be read (Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal").

    Parameters
    ----------
    config : TrainConfig
        Such as `config.FINE_TUNE`; `replay` is the share of replayed samples. With categories that
        the model does not know, the learning rate is at least that of training.
    base : Path
        Checkpoint to start from.
    samples : SampleSet
        The new samples.
    run : Path
        Folder for the new run.
    stream : callable
        Runs the generator function `"module:function"` with its arguments, for example
        `EngineProcess.stream`.
    previous_data : Path, optional
        Folder of the data set that the model was trained on, if it has moved.

    Yields
    ------
    TrainEvent, SampleMeasured, Evaluated or FineTuned
        Events of the training, then of the measurement of both models on new and previous held-out
        samples; `FineTuned` is the last event, and is returned too. After `Command.STOP` before
        the first step there is no `FineTuned`.

    Raises
    ------
    DataError
        If there is nothing to train on, or `previous_data` is not the model's data set.
    CheckpointError
        If the base model cannot be read.
    """
    info = read_header(base)
    # With other classes the last layer has grown, so that previous data can be neither replayed nor
    # measured. A network that follows prompts has one for all classes.
    follows = info.model.prompts
    same = follows or len(info.categories) == len(samples.categories)
    same = same and follows >= config.model.prompts
    if not same:
        config = config.replace(learning_rate=max(config.learning_rate, _GROWN_RATE))
    old = previous_samples(base, info, previous_data) if same or previous_data else None
    replayed = _replayed(old, samples.samples, config)
    train = stream("napari_unet_seg.engine:train", config, samples, run, init=base, replay=replayed)
    finished, _ = yield from _forward(train)
    if not isinstance(finished, TrainFinished):
        return None
    splits = Run(run).split()
    valid = set(splits["valid"])
    held_out = tuple(s for s in samples.samples if s.name in valid)
    kept = draw(old, "valid", MEASURED, config.seed) if old else ()
    models = (base if same else None, base if finished.is_unchanged else finished.best)
    gain = yield from _compare(models, replace(samples, samples=held_out), config, stream)
    loss = None
    if kept:
        loss = yield from _compare(models, replace(samples, samples=kept), config, stream)
    used = len({s.name for s in replayed} & set(splits["train"]))
    done = FineTuned(finished, gain, loss, len(splits["train"]) - used, used)
    yield done
    return done


def union(sets: Sequence[SampleSet]) -> SampleSet:
    """Join sample sets of the same categories.

    A name that occurs in several sets is completed by the name of its set, and by a number if that
    occurs several times too.

    Raises
    ------
    DataError
        If the categories or the sequences of the sets differ.
    """
    first, *others = sets
    for other in others:
        if names(other.categories) != names(first.categories):
            raise DataError(
                f"{other.source} has the categories {', '.join(names(other.categories))} and "
                f"{first.source} has {', '.join(names(first.categories))}; give data of the same "
                "categories."
            )
        if other.sequences and first.sequences and other.sequences != first.sequences:
            raise DataError(
                f"{other.source} has {listed(other.sequences)} and {first.source} has "
                f"{listed(first.sequences)}; give data of the same sequences."
            )
    counts = Counter(s.name for part in sets for s in part.samples)
    joined = [
        s if counts[s.name] == 1 else replace(s, name=f"{s.name} ({part.source})")
        for part in sets
        for s in part.samples
    ]
    return SampleSet(
        _numbered(joined),
        first.categories,
        ", ".join(part.source for part in sets),
        all(part.confirmed for part in sets),
        tuple(note for part in sets for note in part.notes),
        next((part.sequences for part in sets if part.sequences), ()),
    )


def _numbered(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Add a number to each sample whose name has occurred before."""
    seen: Counter[str] = Counter()
    numbered = []
    for sample in samples:
        seen[sample.name] += 1
        count = seen[sample.name]
        numbered.append(sample if count == 1 else replace(sample, name=f"{sample.name} {count}"))
    return tuple(numbered)


def _replayed(
    old: SampleSet | None, new: Sequence[Sample], config: TrainConfig
) -> tuple[Sample, ...]:
    if old is None:
        return ()
    trained = sum(s.split in (None, "train") for s in new)
    return draw(old, "train", round(config.replay / (1 - config.replay) * trained), config.seed)


def _compare(
    models: tuple[Path | None, Path], samples: SampleSet, config: TrainConfig, stream: Stream
) -> _Result:
    """Measure the Dice of both models; None for a model that is missing or was not measured.

    A model that stays as it is is measured once.
    """
    # In one precision: "auto" may choose another precision for each model, which can change the
    # Dice by more than a short round gains.
    predict = PredictConfig(device=config.device, precision="float32", threads=config.threads)
    dice: dict[Path | None, float | None] = dict.fromkeys(models)
    for model in dice:
        if model is not None and samples.samples:
            evaluate = stream("napari_unet_seg.engine:evaluate_samples", model, samples, predict)
            last, _ = yield from _forward(evaluate)
            if isinstance(last, Evaluated) and math.isfinite(last.dice):
                dice[model] = last.dice
    before, after = models
    return DiceChange(dice[before], dice[after], len(samples.samples))


def _forward(stream: Events) -> Generator[Any, Command | None, tuple[Any, bool]]:
    """Pass events and commands through; return the last event and whether a stop was requested.

    A stop while samples are read or measured ends the stream at once, since there is no result
    to keep.
    """
    last, command, stopped = None, None, False
    try:
        while True:
            try:
                last = stream.send(command)
            except StopIteration:
                return last, stopped
            command = yield last
            stopped = stopped or command is Command.STOP
            if stopped and isinstance(last, ItemDone | SampleMeasured):
                return last, True
    finally:
        stream.close()
