"""Work in processes of their own that can be killed, forked from one that has imported torch.

Each function takes the end of a pipe first, by which the test and its process wait for each other.
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_unet_seg import engine
from napari_unet_seg.cli import _console, main
from napari_unet_seg.cli.commands.predict import segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["napari_unet_seg.engine"])


@contextmanager
def started(work: Callable[..., None], *arguments: Any) -> Iterator[tuple[BaseProcess, Connection]]:
    """Run `work(pipe, *arguments)`; kill it at the end, if it has not ended."""
    ours, theirs = _FORKS.Pipe()
    process = _FORKS.Process(target=work, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()
        ours.close()


def train(pipe: Connection, config: TrainConfig, samples: SampleSet, run: Path) -> None:
    """Train on, and wait for a word after each event."""
    fine_tune(pipe, config, samples, run, None)


def fine_tune(
    pipe: Connection, config: TrainConfig, samples: SampleSet, run: Path, base: Path | None
) -> None:
    """Train on from a model, and wait for a word after each event."""
    last = run / "last.safetensors"
    start = {"resume": last} if last.exists() else {"init": base}
    for event in engine.train(config, samples, run, **start):
        pipe.send(type(event).__name__)
        pipe.recv()


def predict_in_pieces(pipe: Connection, arguments: list[str]) -> None:
    """Predict as the program does a scan larger than memory, and wait for a word at each piece."""

    def update(*_: object) -> None:
        pipe.send("paused")
        pipe.recv()

    segmenter._IN_MEMORY = 100
    _console.Bar.update = update
    main(arguments)
