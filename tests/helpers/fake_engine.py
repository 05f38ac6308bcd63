"""Generators of events that stand in for the engine, run in a real child process."""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError, UnconfirmedError
from napari_unet_seg.events import (
    BatchEnd,
    CheckpointSaved,
    Command,
    EpochEnd,
    Preview,
    TrainEvent,
    TrainFinished,
    TrainStarted,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet

CACHE: dict[str, int] = {}


def count(n: int) -> Generator[int, Command | None, None]:
    yield from _numbers(range(n))


def count_until_stopped() -> Generator[int, Command | None, None]:
    """Never end by itself."""
    yield from _numbers(itertools.count())


def _numbers(numbers: Iterable[int]) -> Generator[int, Command | None, None]:
    for i in numbers:
        if (yield i) is Command.STOP:
            yield -1
            return


def noted(n: int, path: str) -> Generator[int, Command | None, None]:
    """Write down each event before it is yielded, and the close."""
    try:
        for i in range(n):
            Path(path).write_text(str(i))
            yield i
    except GeneratorExit:
        Path(path).write_text("closed")
        raise


def chatter() -> Generator[str, Command | None, None]:
    print("this must not reach the parent")
    os.write(1, b"nor this")
    yield "heard"


def echo(array: Any) -> Generator[Any, Command | None, None]:
    array += 1
    yield array


def kept() -> Generator[int, Command | None, None]:
    CACHE["calls"] = CACHE.get("calls", 0) + 1
    yield CACHE["calls"]


def facts() -> Generator[dict[str, Any], Command | None, None]:
    yield {
        "nice": os.nice(0),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "mmap": os.environ.get("MALLOC_MMAP_MAX_"),
        "pid": os.getpid(),
    }


def bad_data() -> Generator[int, Command | None, None]:
    yield 1
    raise DataError("scan.tif holds no slices; choose another file.")


def torch_out_of_memory() -> Generator[int, Command | None, None]:
    import torch

    yield 1
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nDetails")


def bug() -> Generator[int, Command | None, None]:
    yield 1
    raise RuntimeError("tensors disagree")


def unpicklable() -> Generator[Any, Command | None, None]:
    yield lambda: None


def killed() -> Generator[int, Command | None, None]:
    yield 1
    os.write(2, b"last words")
    os.kill(os.getpid(), signal.SIGKILL)


def stuck() -> Generator[int, Command | None, None]:
    yield 1
    time.sleep(600)
    yield 2


def train(
    config: TrainConfig,
    samples: SampleSet,
    run: Path,
    *,
    init: Path | None = None,
    resume: Path | None = None,
) -> Generator[TrainEvent, Command | None, None]:
    """Tell what the engine tells, with losses that fall."""
    yield from _train(range(1, config.epochs + 1), config, samples, run)


def train_until_stopped(
    config: TrainConfig, samples: SampleSet, run: Path, **more: Any
) -> Generator[TrainEvent, Command | None, None]:
    """Never end by itself, for tests that look at a training while it runs."""
    yield from _train(itertools.count(1), config, samples, run)


def _train(
    epochs: Iterable[int], config: TrainConfig, samples: SampleSet, run: Path
) -> Generator[TrainEvent, Command | None, None]:
    steps, stopped = 5, False
    yield TrainStarted(run, len(samples.samples), 1, config.epochs, steps, "cpu", ("a note",))
    for epoch in epochs:
        for step in range(1, steps + 1):
            loss = 1 / (epoch + step / steps)
            stopped |= (yield BatchEnd(epoch, step, steps, loss, 100.0, 1.0)) is Command.STOP
            if stopped:
                break
        yield EpochEnd(epoch, 1 / epoch, 1.1 / epoch, 1 - 1 / (epoch + 1), 1e-3, True, 0.1)
        yield CheckpointSaved(run / "best.safetensors", "best", epoch)
        square = np.zeros((32, 32), np.uint8)
        square[8:24, 8:24] = 1
        yield Preview(epoch, "one", square * 200, square, np.roll(square, epoch, 0))
        if stopped:
            break
    best, last = run / "best.safetensors", run / "last.safetensors"
    yield TrainFinished(best, last, epoch, epoch, 0.75, stopped)


def train_if_confirmed(
    config: TrainConfig, samples: SampleSet, run: Path, **more: Any
) -> Generator[TrainEvent, Command | None, None]:
    if not samples.confirmed:
        raise UnconfirmedError("All masks are dots.")
    yield from train(config, samples, run, **more)


def train_without_memory(*args: Any, **kwargs: Any) -> Generator[int, Command | None, None]:
    yield from torch_out_of_memory()
