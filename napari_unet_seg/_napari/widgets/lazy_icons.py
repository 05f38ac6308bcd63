"""Small pictures of rows, drawn in a thread for those that are looked at."""

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
"""Of the longer side, in pixels of the screen's scale."""
_KEPT = 512
_WAITING = 64
"""Rows that wait to be drawn; of more, those asked for first were scrolled past."""


@dataclass(frozen=True, slots=True)
class _Entry:
    icon: QIcon
    """Null where nothing could be read."""
    stamp: Hashable
    """Of what it shows."""
    round: int
    """When it was last checked."""


class LazyIcons(QObject):
    """Draws pictures when they are asked for, the latest first, and keeps them.

    Parameters
    ----------
    ratio : float
        Pixels of the screen to one of its scale.
    """

    drawn = Signal(int)
    """A row whose picture is new."""
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
        """Return what there is of a row at once; `drawn` tells when there is more."""
        entry = self._kept.get(index)
        if entry is None or entry.round != self._round:
            self._want(index)
        if entry is None:
            return None
        self._kept.move_to_end(index)
        return entry.icon

    def check_again(self) -> None:
        """Draw rows anew when they are next asked for, if what they show changed."""
        self._round += 1

    def close(self) -> None:
        """Draw no more."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.deleteLater()

    def _prepare(self, index: int) -> Callable[[], Drawing] | None:
        """Return what draws a row in the thread, None where there is nothing to draw now.

        It returns the picture, null where nothing can be read and None if it would be the same
        again, and the stamp of what it shows.
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
                self._pool.submit(self._work, index, draw, self._round)

    def _work(self, index: int, draw: Callable[[], Drawing], at: int) -> None:
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
    """Read a slice; a lazy one in this thread, since dask's own would stay."""
    if hasattr(plane, "compute"):
        return plane.compute(scheduler="synchronous")
    return np.asarray(plane)


def _icon(image: QImage) -> QIcon:
    """Return an icon that looks the same in a selected row."""
    icon, pixmap = QIcon(), QPixmap.fromImage(image)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon
