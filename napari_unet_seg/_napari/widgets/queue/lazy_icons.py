"""Thumbnails of rows, drawn in a thread for the rows on screen."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Drawing = tuple[QImage | None, Hashable]

SIZE = 40
"""Length of a thumbnail's longer side, in device-independent pixels."""
_KEPT = 512
_WAITING = 64
"""Rows that may wait to be drawn; the oldest requests beyond were scrolled out of view."""


@dataclass(frozen=True, slots=True)
class _Entry:
    icon: QIcon
    """Null if the picture could not be read."""
    stamp: Hashable
    """Identifies the content that the icon shows."""
    round: int
    """Number of the check that found the icon up to date."""


class LazyIcons(QObject):
    """Draws pictures when they are requested, the latest request first, and keeps them.

    Parameters
    ----------
    ratio : float
        Pixels of the screen in a device-independent pixel.
    """

    drawn = Signal(int)
    """The row of a new picture."""
    _done = Signal(int, object, object, int)

    def __init__(self, ratio: float = 1.0) -> None:
        super().__init__()
        self._ratio = ratio
        self._kept: OrderedDict[int, _Entry] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._round = 0
        self._busy = self._closed = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._done.connect(self._on_done)

    def icon(self, index: int) -> QIcon | None:
        """Return the icon of a row that exists by now; `drawn` is emitted for a newer icon."""
        entry = self._kept.get(index)
        if entry is None or entry.round != self._round:
            self._want(index)
        if entry is None:
            return None
        self._kept.move_to_end(index)
        return entry.icon

    def check_again(self) -> None:
        """Redraw each row at its next request if its content has changed."""
        self._round += 1

    def close(self) -> None:
        """Draw no more."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.deleteLater()

    def _prepare(self, index: int) -> Callable[[], Drawing] | None:
        """Return a function that draws a row in the thread; None if there is nothing to draw now.

        The function returns the picture and the stamp of its content. The picture is null if it
        cannot be read, and None if it has not changed.
        """
        raise NotImplementedError

    def _stamp(self, index: int) -> Hashable | None:
        entry = self._kept.get(index)
        return None if entry is None else entry.stamp

    def _picture(self, pixels: np.ndarray[Any, Any]) -> QImage:
        """Return uint8 pixels of shape (y, x, 3) as a picture."""
        height, width, _ = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        image = image.copy()  # Qt does not keep the bytes
        image.setDevicePixelRatio(self._ratio)
        return image

    def _want(self, index: int) -> None:
        self._wanted[index] = None
        self._wanted.move_to_end(index)
        if len(self._wanted) > _WAITING:
            self._wanted.popitem(last=False)
        self._next()

    def _next(self) -> None:
        while self._wanted and not (self._busy or self._closed):
            index, _ = self._wanted.popitem()
            draw = self._prepare(index)
            if draw is not None:
                self._busy = True
                self._pool.submit(self._draw_in_thread, index, draw, self._round)

    def _draw_in_thread(self, index: int, draw: Callable[[], Drawing], at: int) -> None:
        image, stamp = draw()
        self._done.emit(index, image, stamp, at)

    def _on_done(self, index: int, image: QImage | None, stamp: Hashable, at: int) -> None:
        if self._closed:
            return
        self._busy = False
        before = self._kept.get(index)
        if image is not None:
            self._kept[index] = _Entry(_icon(image), stamp, at)
            self.drawn.emit(index)
        elif before is not None:
            self._kept[index] = replace(before, round=at)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self._next()


def read_plane(plane: Any) -> Any:
    """Return a slice as a numpy array; dask reads in this thread, since its own would stay."""
    if hasattr(plane, "compute"):
        return plane.compute(scheduler="synchronous")
    return np.asarray(plane)


def _icon(image: QImage) -> QIcon:
    """Return an icon that is drawn the same in a selected row."""
    icon, pixmap = QIcon(), QPixmap.fromImage(image)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon
