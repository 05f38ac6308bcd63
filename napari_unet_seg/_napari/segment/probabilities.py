"""How probable a category is on a slice: by its map, else as the current model says."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.segment.chosen_model import current_model, remembered_config
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import PredictFinished
from napari_unet_seg.process.warm_engine import WarmEngine, scan_part

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.config import Category, PredictConfig
    from napari_unet_seg.io.common.scan import Scan

Array = np.ndarray[Any, np.dtype[Any]]
Place = tuple[int, ...]

logger = logging.getLogger(__name__)

_MOST = 32
"""Slices that are kept predicted."""


class Source(NamedTuple):
    """What is known of a category without its mask."""

    scan: Scan
    scan_id: str
    """The same for the same pixels."""
    categories: tuple[Category, ...]
    """Of the mask."""
    value: int
    """The category's label value."""
    map: Array | None
    """Its probabilities on the grid of the mask, zero where there are none."""

    def grey(self, place: Place) -> Array:
        """Return the grey values of a slice, which may have to be read."""
        part = scan_part(self.scan, place)
        plane = np.asarray(part.data)
        return plane.mean(-1) if part.axes.endswith("C") else plane


class Likely:
    """Predicts slices as they are asked for, in a child process, and keeps the latest."""

    def __init__(self) -> None:
        self._engine = WarmEngine()
        self._turn = threading.Lock()
        self._kept: dict[Any, tuple[tuple[Category, ...], Array]] = {}

    def warm_up(self, source: Source, place: Place) -> None:
        """Load the model if a slice will need it."""
        if self.known(source, place) is None:
            self._engine.warm_up(_config(), current_model())

    def known(self, source: Source, place: Place) -> Array | None:
        """Return the probabilities (Y, X) of a slice if they are there already."""
        if source.map is not None and (mapped := np.asarray(source.map[place])).any():
            return mapped
        found = self._kept.get(_key(source, place, current_model()))
        return None if found is None else _of_category(*found, source)

    def of(self, source: Source, place: Place) -> Array:
        """Return the probabilities (Y, X) of a slice, predicted if need be: not for the window.

        All zeros where the model knows no such category, or cannot predict this slice.
        """
        with self._turn:
            found = self.known(source, place)
            if found is None:
                self._keep(source, place)
                found = self.known(source, place)
        return np.zeros(self.shape_of(source)) if found is None else found

    def close(self) -> None:
        """End the child process."""
        self._engine.close()

    def _keep(self, source: Source, place: Place) -> None:
        checkpoint = current_model()
        self._kept[_key(source, place, checkpoint)] = self._predict(source, place, checkpoint)
        for oldest in list(self._kept)[:-_MOST]:
            del self._kept[oldest]

    def _predict(
        self, source: Source, place: Place, checkpoint: Path
    ) -> tuple[tuple[Category, ...], Array]:
        try:
            for event in list(self._engine.predict(_config(), checkpoint, source.scan, place)):
                if isinstance(event, PredictFinished) and event.probabilities is not None:
                    return event.categories, event.probabilities
        except SegmentationError as error:
            # Grey values alone must do then; Segment is where the user is told of it.
            logger.warning("There are no probabilities: %s", error)
        return (), np.zeros((0, *self.shape_of(source)))

    @staticmethod
    def shape_of(source: Source) -> tuple[int, ...]:
        """Return the shape of a slice."""
        return source.scan.grid_shape[-2:]


def _config() -> PredictConfig:
    """Return how a slice is predicted: as in Segment, but by itself, and seen once."""
    plain = {"views": "plain", "across": "Z", "uncertainty": False, "disagreement": False}
    return remembered_config().replace(probabilities=True, **plain)


def _key(source: Source, place: Place, checkpoint: Path) -> Any:
    # A model may be written anew under its name.
    written = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None
    return source.scan_id, place, checkpoint, written


def _of_category(categories: tuple[Category, ...], planes: Array, source: Source) -> Array:
    """Return the plane of the category of that name; one alone needs no name."""
    names = [category.name.casefold() for category in categories]
    name = source.categories[source.value - 1].name.casefold()
    if name in names:
        return planes[names.index(name)].astype(np.float32)
    if len(names) == len(source.categories) == 1:
        return planes[0].astype(np.float32)
    return np.zeros(Likely.shape_of(source), np.float32)
