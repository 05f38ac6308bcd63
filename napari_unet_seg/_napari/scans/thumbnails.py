"""Thumbnails of scans: the slice with the largest mask, else the middle slice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from qtpy.QtGui import QImage

from napari_unet_seg._napari.layers.thumbnail import draw_thumbnail
from napari_unet_seg._napari.session.thumbnails import outline_colours
from napari_unet_seg._napari.widgets.queue.lazy_icons import SIZE, LazyIcons, read_plane
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import percentile_window
from napari_unet_seg.session.stored.labelling import Labelling
from napari_unet_seg.session.stored.masks import MaskStore
from napari_unet_seg.session.stored.scan import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from napari_unet_seg._napari.widgets.queue.lazy_icons import Drawing
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.folders import FoundSession


logger = logging.getLogger(__name__)

_BRIGHTEST = 99.8
"""Percentile of a slice's grey values that is drawn white."""


@dataclass(frozen=True, slots=True)
class ThumbnailSource:
    """The content of a scan's thumbnail."""

    stamp: Hashable
    """Identifies the content; a different stamp makes the thumbnail be redrawn."""
    read: Callable[[], tuple[Scan, int, Array]]
    """Returns the scan, the index of the slice to draw and its labels; called in the thread."""
    categories: tuple[Category, ...] = ()


class ScanThumbnails(LazyIcons):
    """Draws a slice of each scan.

    Parameters
    ----------
    source : callable
        Returns the source of a scan's thumbnail; None if the scan would have to be read for the
        thumbnail alone. Called on the main thread.
    ratio : float
        Pixels of the screen in a device-independent pixel.
    """

    def __init__(self, source: Callable[[int], ThumbnailSource | None], ratio: float = 1.0) -> None:
        super().__init__(ratio)
        self._source = source

    def _prepare(self, index: int) -> Callable[[], Drawing] | None:
        source = self._source(index)
        if source is None or source.stamp == self._stamp(index):
            return None
        return lambda: (self._draw(source), source.stamp)

    def _draw(self, source: ThumbnailSource) -> QImage:
        try:
            scan, index, labels = source.read()
            plane = read_plane(scan.data[place_at(index, scan.grid_shape[:-2])])
            pixels = draw_thumbnail(
                plane,
                labels,
                outline_colours(source.categories),
                _window(plane),
                round(SIZE * self._ratio),
                (scan.spacing[-2], scan.spacing[-1]),
            )
        except Exception:  # the files may be missing, damaged or locked
            logger.exception("The thumbnail of a scan could not be drawn")
            return QImage()
        return self._picture(pixels)


def source_of_session(found: FoundSession) -> ThumbnailSource:
    """Return the source of a session's thumbnail, with the mask that was last saved."""

    def read() -> tuple[Scan, int, Array]:
        scan = open_scan(found.record.scan, found.folder)
        store = MaskStore(found.folder, scan, lambda: Labelling.of(found.record))
        index = _largest(_planes(store))
        return scan, index, store.read(index)

    return ThumbnailSource((found.folder, found.written), read, found.record.categories)


def source_of_layers(scan: Scan, labels: Any, categories: tuple[Category, ...]) -> ThumbnailSource:
    """Return the source of an open scan's thumbnail; always redrawn, as its mask is edited."""

    def read() -> tuple[Scan, int, Array]:
        planes = labels.reshape(-1, *labels.shape[-2:])
        index = _largest(planes)
        return scan, index, planes[index].copy()

    return ThumbnailSource(object(), read, categories)


def source_of_scan(scan: Scan) -> ThumbnailSource:
    """Return the source of a thumbnail without a mask, for a scan that was read."""

    def read() -> tuple[Scan, int, Array]:
        count = int(np.prod(scan.grid_shape[:-2]))
        return scan, count // 2, np.zeros(scan.grid_shape[-2:], np.uint8)

    return ThumbnailSource("scan", read)


def _planes(store: MaskStore) -> Iterable[Array]:
    """Yield the slices of a stored mask one by one, so that the whole mask is never in memory."""
    with tifffile.TiffFile(store.prediction_path) as file:
        for index, page in enumerate(file.pages):
            yield store.read(index) if store.path(index).is_file() else page.asarray()


def _largest(planes: Iterable[Array]) -> int:
    sizes = [np.count_nonzero((plane != 0) & (plane != IGNORE_INDEX)) for plane in planes]
    return int(np.argmax(sizes)) if any(sizes) else len(sizes) // 2


def _window(plane: Array) -> tuple[float, float]:
    if plane.dtype == np.uint8:
        return 0.0, 255.0
    channels = plane.ndim == 3
    return percentile_window(plane, 0.0, _BRIGHTEST, channels=channels)
