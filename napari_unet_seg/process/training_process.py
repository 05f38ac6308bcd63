"""Training in a child process, from reading the samples to the last event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from napari_unet_seg.errors import UnconfirmedError
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg.config import NormaliseConfig, TrainConfig
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.events import Command

ENGINE = "napari_unet_seg.engine:train"
NICENESS = 10
"""Niceness of a training process, so that the window stays responsive."""


class SampleSource(Protocol):
    """A source of samples that can be read in a worker thread."""

    def read(self, dimensions: int, normalise: NormaliseConfig = ...) -> SampleSet:
        """Read the samples: slices, or volumes for three dimensions, with their windows."""
        ...


def train_in_child(
    source: SampleSource,
    config: TrainConfig,
    run: Path,
    *,
    resume: Path | None = None,
    init: Path | None = None,
    engine: str = ENGINE,
    confirmed: bool = False,
) -> Generator[Any, Command | None, None]:
    """Read the samples and train in a child process.

    Parameters
    ----------
    source : SampleSource
        Read in the calling thread, before the child process starts.
    config : TrainConfig
        Configuration of the training.
    run, resume, init
        As `engine.train` takes them.
    engine : str
        The generator function that trains, as `"module:name"`.
    confirmed : bool
        Whether the user has confirmed masks that can hardly be meant.

    Yields
    ------
    SampleSet, TrainEvent or UnconfirmedError
        The samples, then the events of the training; the error, which is not raised, is the last
        event: a question for the user.
    """
    samples = source.read(config.model.dimensions, config.normalise)
    samples = replace(samples, confirmed=samples.confirmed or confirmed)
    yield samples
    with EngineProcess(threads=config.threads, niceness=NICENESS) as process:
        try:
            yield from process.stream(engine, config, samples, run, init=init, resume=resume)
        except UnconfirmedError as error:
            yield error
