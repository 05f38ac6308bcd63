"""Training in a child process, from reading the samples to the last event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.events import Command

ENGINE = "napari_unet_seg.engine:train"
NICENESS = 10
"""Niceness of a training process, so that the window stays responsive."""


class Source(Protocol):
    """A source of samples that can be read in a worker thread."""

    def read(self, dimensions: int) -> SampleSet:
        """Read the samples: slices, or volumes for three dimensions."""
        ...


def train_in_child(
    source: Source,
    config: TrainConfig,
    run: Path,
    *,
    resume: Path | None = None,
    init: Path | None = None,
    engine: str = ENGINE,
) -> Generator[Any, Command | None, None]:
    """Read the samples and train in a child process.

    Parameters
    ----------
    source : Source
        Read in the calling thread, before the child process starts.
    config : TrainConfig
        Configuration of the training.
    run, resume, init
        As `engine.train` takes them.
    engine : str
        The generator function that trains, as `"module:name"`.

    Yields
    ------
    SampleSet or TrainEvent
        The samples, then the events of the training.
    """
    samples = source.read(config.model.dimensions)
    yield samples
    with EngineProcess(threads=config.threads, niceness=NICENESS) as process:
        yield from process.stream(engine, config, samples, run, init=init, resume=resume)
