"""Thumbnails of a session's slices, drawn in a thread for those that are looked at."""

from __future__ import annotations

import logging
import zlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap

from napari_unet_seg._napari._colours import category_colour
from napari_unet_seg._napari._thumbnail import draw_thumbnail

if TYPE_CHECKING:
    from napari_unet_seg._napari._reviewing import Reviewing

logger = logging.getLogger(__name__)

SIZE = 40
"""Of the longer side, in pixels of the screen's scale."""
_KEPT = 512
_WAITING = 64
"""Slices that wait to be drawn; of more, those asked for first were scrolled past."""


@dataclass(frozen=True, slots=True)
class _Entry:
    icon: QIcon
    """Null where the slice could not be read."""
    digest: int
    """Of the mask that it shows."""
    round: int
    """When it was last checked."""


class Thumbnails(QObject):
    """Draws slices when they are asked for, the latest first, and keeps them.

    Parameters
    ----------
    reviewing : Reviewing
        Whose slices; the mask is copied on the main thread, the scan read in the other one.
    ratio : float
        Pixels of the screen to one of its scale.
    """

    drawn = Signal(int)
    """A slice whose thumbnail is new."""
    _done = Signal(int, object, int, int)

    def __init__(self, reviewing: Reviewing, ratio: float = 1.0) -> None:
        super().__init__()
        self._session, self._mask = reviewing.session, reviewing.mask
        self._image, self._ratio = reviewing.image, ratio
        names = [category.name for category in reviewing.session.categories]
        self._colours = {
            value: QColor(category_colour(name)).getRgb()[:3] for value, name in enumerate(names, 1)
        }
        self._kept: OrderedDict[int, _Entry] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._round = 0
        self._busy = self._closed = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._done.connect(self._on_done)

    def icon(self, index: int) -> QIcon | None:
        """Return what there is of a slice at once; `drawn` tells when there is more."""
        entry = self._kept.get(index)
        if entry is None or entry.round != self._round:
            self._want(index)
        if entry is None:
            return None
        self._kept.move_to_end(index)
        return entry.icon

    def check_again(self) -> None:
        """Draw slices anew when they are next asked for, if their masks changed."""
        self._round += 1

    def close(self) -> None:
        """Draw no more."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.deleteLater()

    def _want(self, index: int) -> None:
        self._wanted[index] = None
        self._wanted.move_to_end(index)
        if len(self._wanted) > _WAITING:
            self._wanted.popitem(last=False)
        self._next()

    def _next(self) -> None:
        if self._busy or self._closed or not self._wanted:
            return
        index, _ = self._wanted.popitem()
        place = self._session.masks.place(index)
        # Copied one at a time, so that little is held and the window stays alive.
        labels = np.array(self._mask.data[place])
        window = (0.0, 255.0) if self._image.rgb else tuple(self._image.contrast_limits)
        self._busy = True
        self._pool.submit(self._work, index, place, labels, window, self._round)

    def _work(self, index: int, place: tuple[int, ...], labels: Any, window: Any, at: int) -> None:
        digest = zlib.crc32(np.ascontiguousarray(labels).data)
        before = self._kept.get(index)
        same = before is not None and before.digest == digest
        image = None if same else self._draw(place, labels, window)
        self._done.emit(index, image, digest, at)

    def _draw(self, place: tuple[int, ...], labels: Any, window: Any) -> QImage:
        try:
            plane = _read(self._session.scan.data[place])
            y, x = self._session.scan.spacing[-2:]
            size = round(SIZE * self._ratio)
            pixels = draw_thumbnail(plane, labels, self._colours, window, size, (y, x))
        except Exception:  # a file of a lazy stack may be missing, damaged or locked
            logger.exception("No thumbnail of slice %s", place)
            return QImage()
        height, width, _ = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        image = image.copy()  # Qt does not keep the bytes
        image.setDevicePixelRatio(self._ratio)
        return image

    def _on_done(self, index: int, image: QImage | None, digest: int, at: int) -> None:
        self._busy = False
        before = self._kept.get(index)
        if image is not None:
            self._kept[index] = _Entry(_icon(image), digest, at)
            self.drawn.emit(index)
        elif before is not None:
            self._kept[index] = replace(before, round=at)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self._next()


def _icon(image: QImage) -> QIcon:
    """Return an icon that looks the same in a selected row."""
    icon, pixmap = QIcon(), QPixmap.fromImage(image)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon


def _read(plane: Any) -> Any:
    """Read a slice; a lazy one in this thread, since dask's own would stay."""
    if hasattr(plane, "compute"):
        return plane.compute(scheduler="synchronous")
    return np.asarray(plane)
