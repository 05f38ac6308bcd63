"""One scan after another through the network."""

from __future__ import annotations

import math
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.cli._console import plain, warn
from napari_unet_seg.cli._scratch import scratch_folder
from napari_unet_seg.cli._work import engine, follow
from napari_unet_seg.errors import SegmentationError, WriteError
from napari_unet_seg.events import DeviceFallback, PredictFinished, TileDone
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.cluster import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Bar
    from napari_unet_seg.cli._inputs import Input
    from napari_unet_seg.cli._work import Stop
    from napari_unet_seg.config import Category, PredictConfig
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.process.cluster import Cluster


_IN_MEMORY = 2**30
"""Voxels up to which the result of a scan that is read lazily is held in memory."""


class Segmented(NamedTuple):
    """A scan and its prediction."""

    input: Input
    scan: Scan
    result: PredictFinished
    provenance: dict[str, Any]
    """What the mask's file is to say of itself."""


class Kept(NamedTuple):
    """What is kept of a scan that is segmented."""

    value: Any


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with every scan, by this process or by the worker that the scan goes to."""

    config: PredictConfig
    checkpoint: Path
    model: dict[str, str]
    """Path and sha256 of the checkpoint, for the masks."""
    categories: tuple[Category, ...]
    series: str | None
    finish: Callable[[Segmented], Any]
    """Makes of the prediction what is kept of it: writes the mask, for example."""
    out: Path
    """Folder of the masks, and of what is too large for memory until it is one."""

    def __call__(self, item: Input) -> tuple[Any, list[str]]:
        """Segment a scan where this is called; returns what is kept, and what is odd about it."""
        from napari_unet_seg.engine import predict

        events = list(self.events(item, predict))
        kept = next((event.value for event in events if isinstance(event, Kept)), None)
        return kept, [note for event in events if (note := oddity(event))]

    def events(
        self, item: Input, predict: Callable[..., Iterator[Any]]
    ) -> Generator[Any, None, None]:
        """Read, segment and finish a scan.

        Parameters
        ----------
        item : Input
            Names the scan.
        predict : callable
            The engine's, or one of the same parameters.

        Yields
        ------
        str
            What is odd about the scan, missing slices for example.
        PredictEvent
            As `predict` yields them, but for the last one.
        Kept
            The last, unless it was stopped before.
        """
        scan = read_scan(item.path, self.series)
        yield from (f"{item.path}: {note}" for note in scan.meta.get("notes", ()))
        with self._scratch(scan) as folder:
            for event in predict(self.config, self.checkpoint, scan, folder):
                if isinstance(event, PredictFinished):
                    yield Kept(self.finish(self._segmented(item, scan, event)))
                else:
                    yield event

    @contextmanager
    def _scratch(self, scan: Scan) -> Iterator[Path | None]:
        """Give a folder to the result of a scan that is read in pieces, as it may be huge."""
        lazy = not isinstance(scan.data, np.ndarray) and math.prod(scan.grid_shape) > _IN_MEMORY
        if not lazy or find_spec("zarr") is None:
            yield None
            return
        with scratch_folder(self.out) as folder:
            yield folder

    def _segmented(self, item: Input, scan: Scan, result: PredictFinished) -> Segmented:
        known = provenance(item.path, self.categories, self.model)
        return Segmented(item, scan, result, known | {"settings": plain(self.config)})


def oddity(event: Any) -> str:
    """Return what an event says that the user should know of the scan; empty for most events."""
    if isinstance(event, DeviceFallback):
        return event.message
    return event if isinstance(event, str) else ""


class Segmenter:
    """Runs the network over scans; those that fail do not keep the rest from going on.

    Parameters
    ----------
    config, checkpoint : PredictConfig, Path
        How to segment, and the model.
    out : Path
        Folder of the masks.
    stop, bar
        Asked between scans and slices; told how far it is.
    series : str, optional
        Of DICOM.
    cluster : Cluster, optional
        Takes the scans instead of this machine's one engine.

    Raises
    ------
    CheckpointError
        If the model is none.
    """

    def __init__(
        self,
        config: PredictConfig,
        checkpoint: Path,
        out: Path,
        stop: Stop,
        bar: Bar,
        series: str | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.info = read_header(checkpoint)
        self.model = {"path": str(checkpoint), "sha256": sha256(checkpoint)}
        self._config, self._checkpoint, self._series = config, checkpoint.absolute(), series
        self._out = out
        self._stop, self._bar = stop, bar
        self._cluster = cluster

    def run(self, items: Sequence[Input], finish: Callable[[Segmented], Any]) -> Iterator[Attempt]:
        """Yield what is kept of every scan, or its problem, until a stop is wished for."""
        task = Task(
            self._config,
            self._checkpoint,
            self.model,
            self.info.categories,
            self._series,
            finish,
            self._out,
        )
        attempts = self._shared_out if self._cluster else self._one_by_one
        for index, attempt in enumerate(attempts(task, items), 1):
            if attempt.problem:
                yield attempt
            elif attempt.value is not None:
                yield attempt
                self._bar.update(index, len(items), attempt.item.name)
            if self._stop:
                return

    def _shared_out(self, task: Task, items: Sequence[Input]) -> Iterator[Attempt]:
        assert self._cluster is not None
        for item, value, problem in self._cluster.map(task, items):
            kept, notes = value or (None, ())
            for note in notes:
                warn(note)
            yield Attempt(item, kept, problem)

    def _one_by_one(self, task: Task, items: Sequence[Input]) -> Iterator[Attempt]:
        for index, item in enumerate(items):
            try:
                attempt = Attempt(item, self._segment(task, item, index, len(items)))
            except WriteError:
                # A full disk or the like: it would be no better for the scans after this one.
                raise
            except SegmentationError as error:
                attempt = Attempt(item, None, str(error))
            yield attempt

    def _segment(self, task: Task, item: Input, index: int, count: int) -> Any:
        """Segment a scan in the engine's process; returns what is kept, None if it was stopped."""
        kept = None
        with closing(task.events(item, self._predict)) as events:
            for event in events:
                if isinstance(event, TileDone):
                    text = f"{item.name}, slice {event.index} of {event.count}"
                    self._bar.update(index + event.index / event.count, count, text)
                elif isinstance(event, Kept):
                    kept = event.value
                elif note := oddity(event):
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
