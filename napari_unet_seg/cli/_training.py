"""A training in the terminal: a bar, a line for each epoch, and the Dice before and after."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_unet_seg.cli._console import Bar, emit, event_line, number, warn
from napari_unet_seg.cli._engine import follow
from napari_unet_seg.errors import DataError, UnconfirmedError
from napari_unet_seg.events import (
    BatchEnd,
    EpochEnd,
    FineTuned,
    ItemDone,
    SampleMeasured,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.training.held_out.unchanged import unchanged
from napari_unet_seg.training.launcher import process_rank

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_unet_seg.cli._engine import Stop
    from napari_unet_seg.events import Command, DiceChange


def follow_training(events: Generator[Any, Command | None, Any], stop: Stop, *, json: bool) -> int:
    """Show a training until it ends or is stopped; return the exit code.

    Parameters
    ----------
    events : generator
        The training.
    stop : Stop
        Whether the user has pressed Ctrl+C.
    json : bool
        Whether every event is a line of JSON.

    Raises
    ------
    DataError
        If the masks can hardly be meant; the message names the option that confirms them.
    """
    started, silent, run = False, process_rank() > 0, None
    with _offering_yes(), Bar("Training", "samples", quiet=json or silent) as bar:
        for event in follow(events, stop):
            started |= isinstance(event, BatchEnd)
            run = event if isinstance(event, TrainStarted) else run
            if json and not silent:
                emit(event_line(event))
            elif not silent:
                _show(event, run, bar)
            if stop and not started:
                break  # before the first step there is nothing to save
    if stop and not started:
        warn("Stopped before the first step.")
    return stop.exit_code if stop else 0


@contextmanager
def _offering_yes() -> Iterator[None]:
    """Name the option that confirms doubtful masks."""
    try:
        yield
    except UnconfirmedError as error:
        raise DataError(
            f"{error.doubts} Correct the masks, or give --yes to train all the same."
        ) from error


def _show(event: Any, run: TrainStarted | None, bar: Bar) -> None:
    epochs, held_out = (run.epochs, run.valid) if run else (0, 0)
    if isinstance(event, ItemDone):
        bar.update(event.index, event.count, "(reading)")
    elif isinstance(event, TrainStarted):
        bar.say(f"{event.train} samples to train on, {event.valid} held out; {event.device}")
        for note in filter(None, (*event.notes, event.recipe)):
            bar.say(note)
    elif isinstance(event, BatchEnd):
        done = (event.epoch - 1) * event.steps + event.step
        text = f"epoch {event.epoch} loss {event.loss:.4f}"
        total = epochs * event.steps
        bar.update(done, total, text, event.samples_per_second, event.seconds_left)
    elif isinstance(event, EpochEnd):
        bar.say(
            f"epoch {event.epoch}/{epochs}  loss {number(event.train_loss, 4)}  "
            f"validation loss {number(event.valid_loss, 4)}  Dice {number(event.valid_dice)}  "
            f"{event.seconds:.0f} s{'  best' if event.is_best else ''}"
        )
    elif isinstance(event, TrainFinished):
        how = "Stopped" if event.stopped else "Done"
        bar.say(f"{how} after epoch {event.epochs}; {_best(event, held_out)}.")
    elif isinstance(event, SampleMeasured):
        bar.update(event.index, event.count, "(measuring)")
    elif isinstance(event, FineTuned):
        if event.replayed:
            bar.say(f"{event.replayed} samples of the previous data were replayed.")
        if event.new.samples:
            bar.say(_dice_summary("samples", event.new))
        if event.old:
            bar.say(_dice_summary("samples of the previous data", event.old))


def _best(event: TrainFinished, held_out: int) -> str:
    dice = number(event.valid_dice)
    if event.is_unchanged:
        return f"{unchanged(held_out, 'sample')} (Dice {dice}). Its weights are in {event.best}"
    return f"the best model, of epoch {event.best_epoch} with Dice {dice}, is {event.best}"


def _dice_summary(samples: str, change: DiceChange) -> str:
    return (
        f"Dice on {change.samples} held-out {samples}: {_score(change.before)} before, "
        f"{_score(change.after)} after."
    )


def _score(dice: float | None) -> str:
    return number(math.nan if dice is None else dice)
