"""Segmentation of many scans, in the engine's process or by workers."""

from __future__ import annotations

import math
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.cli._console import plain, warn
from napari_unet_seg.cli._engine import engine, follow
from napari_unet_seg.cli._folders import scratch_folder
from napari_unet_seg.errors import WriteError
from napari_unet_seg.events import DeviceFallback, PredictFinished, TileDone
from napari_unet_seg.io.cases.channels import read_channels
from napari_unet_seg.io.cases.scans import path_of
from napari_unet_seg.io.common.channels import for_model
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.stacking import missing_note
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.pending_items import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Bar
    from napari_unet_seg.cli._engine import Stop
    from napari_unet_seg.cli._inputs import Input
    from napari_unet_seg.config import Category, PredictConfig
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.process.cluster import Cluster


_IN_MEMORY = 2**30
"""Largest number of voxels of a lazily read scan whose result is kept in memory."""


class Segmented(NamedTuple):
    """A scan and its prediction."""

    input: Input
    scan: Scan
    result: PredictFinished
    provenance: dict[str, Any]
    """Provenance, for the mask's file."""


class Kept(NamedTuple):
    """The last event of a scan, with the value that the task's `finish` returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Task:
    """Reads, segments and finishes a scan, in this process or at a worker."""

    config: PredictConfig
    checkpoint: Path
    model: dict[str, str]
    """Path and sha256 of the checkpoint, for the masks."""
    categories: tuple[Category, ...]
    series: str | None
    channel: str
    """Number or name of the channel of a scan with several; empty for the first."""
    finish: Callable[[Segmented], Any]
    """Processes a prediction, for example writes the mask; returns a report."""
    out: Path
    """Folder of the masks, and of scratch folders."""

    def __call__(self, item: Input) -> tuple[Any, list[str]]:
        """Segment a scan in this process; return the value of `finish`, and notes on the scan."""
        from napari_unet_seg.engine import predict

        events = list(self.events(item, predict))
        kept = next((event.value for event in events if isinstance(event, Kept)), None)
        return kept, [note for event in events if (note := note_of(event))]

    def events(
        self, item: Input, predict: Callable[..., Iterator[Any]]
    ) -> Generator[Any, None, None]:
        """Read, segment and finish a scan.

        Parameters
        ----------
        item : Input
            The scan.
        predict : callable
            `engine.predict`, or a function with the same parameters.

        Yields
        ------
        str
            Notes on the scan, for example about missing slices.
        PredictEvent
            The events of `predict` except the last.
        Kept
            The last event, unless `predict` was stopped.
        """
        info = read_header(self.checkpoint)
        scan = _read(item, self.series)
        if not self.channel:
            scan = by_name(scan, info.sequences)
        scan, chosen = for_model(scan, info.model.in_channels, self.channel)
        notes = (
            *scan.meta.get("notes", ()),
            missing_note(scan, bears_missing=info.bears_missing),
            chosen and f"{chosen} Choose another by --channel.",
        )
        yield from (f"{item.path}: {note}" for note in notes if note)
        with self._scratch(scan) as folder:
            for event in predict(self.config, self.checkpoint, scan, folder):
                if isinstance(event, PredictFinished):
                    yield Kept(self.finish(self._segmented(item, scan, event)))
                else:
                    yield event

    @contextmanager
    def _scratch(self, scan: Scan) -> Iterator[Path | None]:
        """Yield a scratch folder for the result of a large, lazily read scan; else None."""
        lazy = not isinstance(scan.data, np.ndarray) and math.prod(scan.grid_shape) > _IN_MEMORY
        if not lazy or find_spec("zarr") is None:
            yield None
            return
        with scratch_folder(self.out) as folder:
            yield folder

    def _segmented(self, item: Input, scan: Scan, result: PredictFinished) -> Segmented:
        origin = provenance(item.path, self.categories, self.model)
        origin |= {"settings": plain(self.config)}
        if item.channels:
            origin["sequences"] = sequence_files(item)
        return Segmented(item, scan, result, origin)


def _read(item: Input, series: str | None) -> Scan:
    return read_channels(item.channels) if item.channels else read_scan(item.path, series)


def sequence_files(item: Input) -> dict[str, str | None]:
    """Return the name of each sequence's file or folder; None for one that is missing."""
    return {
        name: None if source is None else path_of(source).name for name, source in item.channels
    }


def note_of(event: Any) -> str:
    """Return the note for the user in an event; empty for most events."""
    if isinstance(event, DeviceFallback):
        return event.message
    return event if isinstance(event, str) else ""


class Segmenter:
    """Segments many scans; after a scan that fails, the segmenter continues with the next.

    Parameters
    ----------
    config : PredictConfig
        Configuration of the prediction.
    checkpoint : Path
        The model.
    out : Path
        Folder of the masks.
    stop : Stop
        Checked after every event.
    bar : Bar
        Shows the progress.
    series : str, optional
        Number or key of a DICOM series.
    channel : str
        Number or name of the channel of a scan with several; by default the first.
    cluster : Cluster, optional
        Segments the scans instead of the engine's process.

    Raises
    ------
    CheckpointError
        If the model cannot be read.
    """

    def __init__(
        self,
        config: PredictConfig,
        checkpoint: Path,
        out: Path,
        stop: Stop,
        bar: Bar,
        series: str | None = None,
        channel: str = "",
        cluster: Cluster | None = None,
    ) -> None:
        self.info = read_header(checkpoint)
        self.model = {"path": str(checkpoint), "sha256": sha256(checkpoint)}
        self._config, self._checkpoint, self._series = config, checkpoint.absolute(), series
        self._out, self._channel = out, channel
        self._stop, self._bar = stop, bar
        self._cluster = cluster

    def run(self, items: Sequence[Input], finish: Callable[[Segmented], Any]) -> Iterator[Attempt]:
        """Yield the value of `finish`, or the problem, for each scan, until a stop is requested."""
        task = Task(
            self._config,
            self._checkpoint,
            self.model,
            self.info.categories,
            self._series,
            self._channel,
            finish,
            self._out,
        )
        attempts = self._by_cluster if self._cluster else self._by_engine
        for index, attempt in enumerate(attempts(task, items), 1):
            if attempt.problem:
                yield attempt
            elif attempt.value is not None:
                yield attempt
                self._bar.update(index, len(items), attempt.item.name)
            if self._stop:
                return

    def _by_cluster(self, task: Task, items: Sequence[Input]) -> Iterator[Attempt]:
        assert self._cluster is not None
        for item, value, problem in self._cluster.map(task, items):
            kept, notes = value or (None, ())
            for note in notes:
                warn(note)
            yield Attempt(item, kept, problem)

    def _by_engine(self, task: Task, items: Sequence[Input]) -> Iterator[Attempt]:
        for index, item in enumerate(items):
            try:
                attempt = Attempt(item, self._segment(task, item, index, len(items)))
            except WriteError:
                # For example a full disk, which the following scans would meet too.
                raise
            except Exception as error:
                attempt = Attempt(item, None, log.problem(error, item))
            yield attempt

    def _segment(self, task: Task, item: Input, index: int, count: int) -> Any:
        """Segment a scan in the engine's process; return the value of `finish`, None on a stop."""
        kept = None
        with closing(task.events(item, self._predict)) as events:
            for event in events:
                if isinstance(event, TileDone):
                    text = f"{item.name}, slice {event.index} of {event.count}"
                    self._bar.update(index + event.index / event.count, count, text)
                elif isinstance(event, Kept):
                    kept = event.value
                elif note := note_of(event):
                    warn(note)
        return kept

    def _predict(self, *arguments: Any) -> Iterator[Any]:
        events = engine().stream("napari_unet_seg.engine:predict", *arguments)
        return follow(events, self._stop)


def pixels(segmented: Segmented) -> dict[str, int]:
    """Count the pixels of every category."""
    categories = segmented.result.categories
    labels = segmented.result.labels
    counts = np.zeros(len(categories) + 1, int)
    for place in np.ndindex(*labels.shape[:-2]):
        counts += np.bincount(np.asarray(labels[place]).ravel(), minlength=len(counts))
    return {c.name: int(n) for c, n in zip(categories, counts[1:], strict=False)}
