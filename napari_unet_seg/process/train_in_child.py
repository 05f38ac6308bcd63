"""A training in a child process, from reading the samples to its last event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.events import Command

NICENESS = 10
"""How far a training steps back behind the window, which stays smooth so."""


class Source(Protocol):
    """What samples can be read from, off the main thread."""

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
    engine: str = "napari_unet_seg.engine:train",
) -> Generator[Any, Command | None, None]:
    """Read the samples and train in a child process; its first event is the SampleSet."""
    samples = source.read(config.model.dimensions)
    yield samples
    with EngineProcess(threads=config.threads, niceness=NICENESS) as process:
        yield from process.stream(engine, config, samples, run, init=init, resume=resume)
