"""Fine-tuning, and what it gained on the new data and lost on the old, as a generator of events."""

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
    Comparison,
    Evaluated,
    FineTuned,
    ItemDone,
    SampleMeasured,
    TrainFinished,
)
from napari_unet_seg.models.header import read_header
from napari_unet_seg.training.replay import MEASURED, draw, earlier_samples, names
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.data.samples import Sample

    Events = Generator[Any, Command | None, None]
    Stream = Callable[..., Events]
    _Result = Generator[Any, Command | None, Any]


def fine_tune(
    config: TrainConfig,
    base: Path,
    samples: SampleSet,
    run: Path,
    stream: Stream,
    *,
    earlier: Path | None = None,
) -> Generator[Any, Command | None, FineTuned | None]:
    """Train a model further, and compare it with what it was.

    Against forgetting (Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal") a
    share of the data that the model was trained on before is replayed, where they are at hand.

    Parameters
    ----------
    config : TrainConfig
        `config.FINE_TUNE`, or what the user made of them; `replay` is the share.
    base : Path
        Checkpoint to start from.
    samples : SampleSet
        The new ones.
    run : Path
        Folder for the new run.
    stream : callable
        Runs `"module:function"` with its arguments: `EngineProcess.stream`, or one that runs it
        in this process.
    earlier : Path, optional
        The data set that the model was trained on, where it has moved.

    Yields
    ------
    TrainEvent, SampleMeasured, Evaluated or FineTuned
        The training, then both models on the held-out samples, new and earlier ones; `FineTuned`
        is last, and returned too. After `Command.STOP` before the first step there is none.

    Raises
    ------
    DataError
        If there is nothing to train on, or `earlier` is not the model's data set.
    CheckpointError
        If the base model cannot be read.
    """
    info = read_header(base)
    # With other classes the last layer starts afresh: nothing of the old can be kept or lost.
    # A net of prompts learns what is meant, whatever the categories.
    follows = info.model.prompts
    same = follows or len(info.categories) == len(samples.categories)
    same = same and follows >= config.model.prompts
    old = earlier_samples(base, info, earlier) if same or earlier else None
    replayed = _replayed(old, samples.samples, config)
    train = stream("napari_unet_seg.engine:train", config, samples, run, init=base, replay=replayed)
    finished, _ = yield from _follow(train)
    if not isinstance(finished, TrainFinished):
        return None
    sides = Run(run).split()
    valid = set(sides["valid"])
    held_out = tuple(s for s in samples.samples if s.name in valid)
    kept = draw(old, "valid", MEASURED, config.seed) if old else ()
    models = (base if same else None, finished.best)
    gain = yield from _compare(models, replace(samples, samples=held_out), config, stream)
    loss = None
    if kept:
        loss = yield from _compare(models, replace(samples, samples=kept), config, stream)
    used = len({s.name for s in replayed} & set(sides["train"]))
    done = FineTuned(finished, gain, loss, len(sides["train"]) - used, used)
    yield done
    return done


def union(sets: Sequence[SampleSet]) -> SampleSet:
    """Join sample sets; of names that several hold, each gets the set's name too, or a number.

    Raises
    ------
    DataError
        If their categories differ.
    """
    first, *others = sets
    for other in others:
        if names(other.categories) != names(first.categories):
            raise DataError(
                f"{other.source} has the categories {', '.join(names(other.categories))} and "
                f"{first.source} {', '.join(names(first.categories))}; give data of the same."
            )
    counts = Counter(s.name for part in sets for s in part.samples)
    joined = [
        s if counts[s.name] == 1 else replace(s, name=f"{s.name} ({part.source})")
        for part in sets
        for s in part.samples
    ]
    return SampleSet(_numbered(joined), first.categories, ", ".join(part.source for part in sets))


def _numbered(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Number those of one name that follow the first, as of sets of one name in two folders."""
    seen: Counter[str] = Counter()
    numbered = []
    for sample in samples:
        seen[sample.name] += 1
        again = seen[sample.name]
        numbered.append(sample if again == 1 else replace(sample, name=f"{sample.name} {again}"))
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
    """Measure the model before and after; None for what cannot be, or is stopped."""
    # Of one precision: what "auto" finds the faster one may differ from model to model, and the
    # Dice by more than a short round gains.
    how = PredictConfig(device=config.device, precision="float32", threads=config.threads)
    figures: list[float | None] = []
    for model in models:
        figures.append(None)
        if model is not None and samples.samples:
            evaluate = stream("napari_unet_seg.engine:evaluate_samples", model, samples, how)
            last, _ = yield from _follow(evaluate)
            if isinstance(last, Evaluated) and math.isfinite(last.dice):
                figures[-1] = last.dice
    before, after = figures
    return Comparison(before, after, len(samples.samples))


def _follow(stream: Events) -> Generator[Any, Command | None, tuple[Any, bool]]:
    """Pass events and commands through; return the last event and whether to stop was asked.

    While items are only read or measured there is nothing to keep: stopping ends them at once.
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
