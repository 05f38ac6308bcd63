"""Probabilities of a category on a slice: from its map, or predicted by the current model."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.segment.chosen_model import current_model, last_config
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import PredictFinished
from napari_unet_seg.io.common.places import of_part
from napari_unet_seg.process.warm_engine import WarmEngine, scan_part

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg._napari.segment.model_input import ModelInput
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, PredictConfig
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.io.common.scan import Scan


logger = logging.getLogger(__name__)

_MAX_KEPT = 32
"""Number of predicted slices that are kept."""


class CategorySource(NamedTuple):
    """The input for the probabilities of a category: the scan, and a map if there is one."""

    scan: Scan
    scan_id: str
    """Identifies the pixels of the scan."""
    categories: tuple[Category, ...]
    """The categories of the mask."""
    value: int
    """The label of the category."""
    map: Array | None
    """The category's probabilities on the grid of the mask; zero on slices without any."""
    input: ModelInput | None = None
    """The scan with the other sequences that the model takes; None for the scan alone."""

    def grey(self, place: Part) -> Array:
        """Return the grey values (Y, X) of a slice; may read from disk."""
        part = scan_part(self.scan, place)
        plane = np.asarray(part.data)
        return plane.mean(-1) if part.axes.endswith("C") else plane


class CategoryProbabilities:
    """Predicts slices on request in a child process, and keeps the most recent ones."""

    def __init__(self) -> None:
        self._engine = WarmEngine()
        self._turn = threading.Lock()
        self._kept: dict[Any, tuple[tuple[Category, ...], Array]] = {}
        self._stacked: tuple[Any, Scan] | None = None
        """The last scan of several sequences, and what it was made of."""

    def warm_up(self, source: CategorySource, place: Part) -> None:
        """Load the model if the probabilities of a slice are not available."""
        if self.available(source, place) is None:
            self._engine.warm_up(_config(), current_model())

    def available(self, source: CategorySource, place: Part) -> Array | None:
        """Return the probabilities (Y, X) of a slice if no prediction is needed, else None."""
        if source.map is not None and (mapped := np.asarray(source.map[place])).any():
            return mapped
        found = self._kept.get(_key(source, place, current_model()))
        return None if found is None else _of_category(*found, source)

    def compute(self, source: CategorySource, place: Part) -> Array:
        """Return the probabilities (Y, X) of a slice, predicted if necessary; blocks meanwhile.

        All zeros if the model has no such category or cannot predict this slice.
        """
        with self._turn:
            found = self.available(source, place)
            if found is None:
                self._keep(source, place)
                found = self.available(source, place)
        return np.zeros(of_part(source.scan.grid_shape, place)) if found is None else found

    def close(self) -> None:
        """End the child process."""
        self._engine.close()

    def _keep(self, source: CategorySource, place: Part) -> None:
        checkpoint = current_model()
        self._kept[_key(source, place, checkpoint)] = self._predict(source, place, checkpoint)
        for oldest in list(self._kept)[:-_MAX_KEPT]:
            del self._kept[oldest]

    def _predict(
        self, source: CategorySource, place: Part, checkpoint: Path
    ) -> tuple[tuple[Category, ...], Array]:
        try:
            scan = self._scan(source)
            for event in list(self._engine.predict(_config(), checkpoint, scan, place)):
                if isinstance(event, PredictFinished) and event.probabilities is not None:
                    return event.categories, event.probabilities
        except SegmentationError as error:
            # The tools then use the grey values alone; Segment shows the error to the user.
            logger.warning("There are no probabilities: %s", error)
        return (), np.zeros((0, *of_part(source.scan.grid_shape, place)))

    def _scan(self, source: CategorySource) -> Scan:
        """Return the scan for the model; several sequences are put together once."""
        if source.input is None:
            return source.scan
        given = [(name, scan is None) for name, scan in source.input.channels.items()]
        key = source.scan_id, given
        if self._stacked is None or self._stacked[0] != key:
            self._stacked = key, source.input.read()[0]
        return self._stacked[1]


def _config() -> PredictConfig:
    """Return the settings of Segment without averaging, for a single slice."""
    plain = {"views": "plain", "across": "Z", "uncertainty": False, "disagreement": False}
    return last_config().replace(probabilities=True, **plain)


def _key(source: CategorySource, place: Part, checkpoint: Path) -> Any:
    # A checkpoint may be overwritten by another model.
    written = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None
    # Slices cannot be keys before Python 3.12.
    return source.scan_id, str(place), checkpoint, written


def _of_category(categories: tuple[Category, ...], planes: Array, source: CategorySource) -> Array:
    """Return the plane of the source's category, found by name; a single category always fits."""
    names = [category.name.casefold() for category in categories]
    name = source.categories[source.value - 1].name.casefold()
    if name in names:
        return planes[names.index(name)].astype(np.float32)
    if len(names) == len(source.categories) == 1:
        return planes[0].astype(np.float32)
    return np.zeros(planes.shape[1:], np.float32)
