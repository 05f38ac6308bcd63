"""Reads scans in a thread, one of them before it is wanted."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan

    Result = Scan | SegmentationError

logger = logging.getLogger(__name__)


class ReadAhead(QObject):
    """Reads one scan at a time, and keeps at most one that nobody has asked for yet."""

    arrived = Signal(object, object)
    """Path that was asked for; the scan, or the error that reading it gave."""
    read = Signal()
    """What was read ahead is there, for `peek`."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="scans")
        self._ahead: tuple[Path, Future[Result]] | None = None
        self._last: Future[Result] | None = None
        self._closed = False

    @property
    def ahead(self) -> Path | None:
        """The scan that is read, or was, before anybody has asked for it."""
        return None if self._ahead is None else self._ahead[0]

    def read_ahead(self, path: Path) -> None:
        """Read the scan that is likely to be wanted next, in place of any other such."""
        if self._ahead is None or self._ahead[0] != path:
            self._forget()
            self._ahead = path, self._submit(path)
            self._ahead[1].add_done_callback(self._tell)

    def peek(self, path: Path) -> Scan | None:
        """Return a scan that was read ahead, without asking for it."""
        if self._ahead is None or self._ahead[0] != path or not self._ahead[1].done():
            return None
        result = self._ahead[1].result()
        return None if isinstance(result, SegmentationError) else result

    def take(self, path: Path) -> None:
        """Ask for a scan; `arrived` brings it, at once where it was read ahead."""
        if self._ahead is None or self._ahead[0] != path:
            self._forget()
            future = self._submit(path)
        else:
            future = self._ahead[1]
        self._ahead = None
        future.add_done_callback(lambda done: self._deliver(path, done))

    def close(self) -> None:
        """Read no more; a file that is being read is not waited for."""
        self._closed = True
        self._forget()
        self._pool.shutdown(wait=self._last is None or self._last.done())
        self.deleteLater()

    def _submit(self, path: Path) -> Future[Result]:
        self._last = self._pool.submit(_read, path)
        return self._last

    def _forget(self) -> None:
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None

    def _tell(self, done: Future[Result]) -> None:
        if not (self._closed or done.cancelled()):
            self.read.emit()

    def _deliver(self, path: Path, done: Future[Result]) -> None:
        if not self._closed:
            self.arrived.emit(path, done.result())


def _read(path: Path) -> Result:
    try:
        return read_scan(path)
    except SegmentationError as error:
        return error
    except Exception as error:  # in a pool's thread nobody else would see it
        logger.exception("%s could not be read", path)
        return DataError(f"{path} cannot be read: {type(error).__name__}: {error}.")
