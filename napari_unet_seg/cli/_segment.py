"""One scan after another through the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.cli._console import plain, warn
from napari_unet_seg.cli._work import engine, follow
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import (
    DeviceFallback,
    PredictFinished,
    TileDone,
)
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.weights import read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Bar
    from napari_unet_seg.cli._inputs import Input
    from napari_unet_seg.cli._work import Stop
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.io.scan import Scan


class Segmented(NamedTuple):
    """A scan and its prediction."""

    input: Input
    scan: Scan
    result: PredictFinished
    provenance: dict[str, Any]
    """What the mask's file is to say of itself."""


class Segmenter:
    """Runs the network over scans; those that fail are listed and the rest goes on.

    What is odd about a scan, missing slices for example, is told as it is read.

    Raises
    ------
    CheckpointError
        If the model is none.
    """

    def __init__(
        self,
        config: PredictConfig,
        checkpoint: Path,
        stop: Stop,
        bar: Bar,
        failed: list[tuple[str, str]],
        series: str | None = None,
    ) -> None:
        self.info = read_header(checkpoint)
        self.model = {"path": str(checkpoint), "sha256": sha256(checkpoint)}
        self._config, self._checkpoint = config, checkpoint
        self._stop, self._bar, self._failed = stop, bar, failed
        self._series = series

    def fail(self, item: Input, error: SegmentationError) -> None:
        """List a scan as failed."""
        self._failed.append((str(item.path), str(error)))

    def run(self, items: Sequence[Input]) -> Iterator[Segmented]:
        """Yield the scans that went well, until a stop is wished for."""
        for index, item in enumerate(items):
            if self._stop:
                return
            try:
                scan = read_scan(item.path, self._series)
                for note in scan.meta.get("notes", ()):
                    warn(f"{item.path}: {note}")
                result = self._predict(scan, item, index, len(items))
            except SegmentationError as error:
                self.fail(item, error)
                continue
            if result is not None:
                yield Segmented(item, scan, result, self._provenance(item))
                self._bar.update(index + 1, len(items), item.name)

    def _predict(self, scan: Scan, item: Input, index: int, count: int) -> PredictFinished | None:
        events = engine().stream(
            "napari_unet_seg.engine:predict", self._config, self._checkpoint, scan
        )
        for event in follow(events, self._stop):
            if isinstance(event, TileDone):
                text = f"{item.name}, slice {event.index} of {event.count}"
                self._bar.update(index + event.index / event.count, count, text)
            elif isinstance(event, DeviceFallback):
                warn(event.message)
            elif isinstance(event, PredictFinished):
                return event
        return None

    def _provenance(self, item: Input) -> dict[str, Any]:
        known = provenance(item.path, self.info.categories, self.model)
        return known | {"settings": plain(self._config)}


def pixels(segmented: Segmented) -> dict[str, int]:
    """Count the pixels of every category."""
    categories = segmented.result.categories
    counts = np.bincount(segmented.result.labels.ravel(), minlength=len(categories) + 1)
    return {c.name: int(n) for c, n in zip(categories, counts[1:], strict=False)}
