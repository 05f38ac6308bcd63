"""A round of fine-tuning on a session, as a generator of events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_unet_seg.config import PredictConfig, TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, Evaluated, ItemDone, SampleMeasured, TrainFinished
from napari_unet_seg.io.weights import read_header
from napari_unet_seg.session import Round, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Events = Generator[Any, Command | None, None]
    Stream = Callable[..., Events]


def fine_tune(session: Session, config: TrainConfig, base: Path, stream: Stream) -> Events:
    """Train a session's model further on the accepted slices, and measure what it brought.

    Every round starts from the model it is given and takes all accepted slices: training on the
    result of earlier rounds again and again would drift.

    Parameters
    ----------
    session : Session
        With accepted slices, saved.
    config : TrainConfig
        `config.FINE_TUNE`, or what the user made of them.
    base : Path
        Checkpoint to start from.
    stream : callable
        Runs `"module:function"` with its arguments: `EngineProcess.stream`, or one that runs it
        in this process.

    Yields
    ------
    TrainEvent, SampleMeasured, Evaluated or Round
        The base model is evaluated on the held-out slices, then comes the training, then the new
        model is evaluated; the last event is the `Round`, stored in the session. After
        `Command.STOP` before the first step there is none.

    Raises
    ------
    DataError
        If no slice is accepted, or the only one would be held out.
    CheckpointError
        If the base model cannot be read.
    """
    info = read_header(base)
    samples = session.training_samples(info.model.dimensions)
    held_out = tuple(s for s in samples.samples if s.split == "valid")
    if len(held_out) == len(samples.samples):
        raise DataError(f"All accepted slices of {session.folder.name} are held out; accept more.")
    measured = SampleSet(held_out, samples.categories, samples.source)
    known = [c.name for c in info.categories] == [c.name for c in samples.categories]
    before = None
    if known:
        before, stopped = yield from _dice(base, measured, config, stream)
        if stopped:
            return
    folder = session.new_round()
    train = stream("napari_unet_seg.engine:train", config, samples, folder, init=base)
    finished, stopped = yield from _follow(train)
    if not isinstance(finished, TrainFinished):
        return
    after, _ = yield from _dice(finished.best, measured, config, stream)
    result = Round(
        number=int(folder.name),
        checkpoint=str(finished.best.relative_to(session.folder)),
        base=str(base),
        before=before,
        after=after,
        train=len(samples.samples) - len(held_out),
        held_out=len(held_out),
        epochs=finished.epochs,
        stopped=finished.stopped,
    )
    session.finish_round(result)
    yield result


def _dice(
    checkpoint: Path, samples: SampleSet, config: TrainConfig, stream: Stream
) -> Generator[Any, Command | None, tuple[float | None, bool]]:
    """Measure a model; None where there is nothing to measure, and whether to stop."""
    if not samples.samples:
        return None, False
    how = PredictConfig(device=config.device, precision=config.precision, threads=config.threads)
    evaluate = stream("napari_unet_seg.engine:evaluate_samples", checkpoint, samples, how)
    last, stopped = yield from _follow(evaluate)
    measured = isinstance(last, Evaluated) and math.isfinite(last.dice)
    return last.dice if measured else None, stopped


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
