"""A thread that reads scans, one of them in advance."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg import log
from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.io.cases.read import read_sequence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.io.common.scan import Scan

    Result = Scan | SegmentationError


class ScanReader(QObject):
    """Reads one scan at a time, and keeps at most one scan that was not requested yet.

    Parameters
    ----------
    sources : mapping
        What of each path is read.
    """

    arrived = Signal(object, object)
    """Emitted with the path of a request, and the scan or the error of reading it."""
    read = Signal()
    """Emitted when the scan read in advance is available to `peek`."""

    def __init__(self, sources: Mapping[Path, Source]) -> None:
        super().__init__()
        self._sources = sources
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="scans")
        self._ahead: tuple[Path, Future[Result]] | None = None
        self._last: Future[Result] | None = None
        self._closed = False

    @property
    def ahead(self) -> Path | None:
        """The path of the scan that is or was read in advance."""
        return None if self._ahead is None else self._ahead[0]

    def read_ahead(self, path: Path) -> None:
        """Read a scan in advance, in place of any other scan read in advance."""
        if self._ahead is None or self._ahead[0] != path:
            self._cancel()
            self._ahead = path, self._submit(path)
            self._ahead[1].add_done_callback(self._on_read)

    def peek(self, path: Path) -> Scan | None:
        """Return the scan at a path if it was read in advance; it stays available."""
        if self._ahead is None or self._ahead[0] != path or not self._ahead[1].done():
            return None
        result = self._ahead[1].result()
        return None if isinstance(result, SegmentationError) else result

    def request(self, path: Path) -> None:
        """Request a scan; `arrived` delivers it, at once if it was read in advance."""
        if self._ahead is None or self._ahead[0] != path:
            self._cancel()
            future = self._submit(path)
        else:
            future = self._ahead[1]
        self._ahead = None
        future.add_done_callback(lambda done: self._deliver(path, done))

    def close(self) -> None:
        """Stop reading, without waiting for the file that is being read."""
        self._closed = True
        self._cancel()
        self._pool.shutdown(wait=self._last is None or self._last.done())
        self.deleteLater()

    def _submit(self, path: Path) -> Future[Result]:
        self._last = self._pool.submit(_read, self._sources[path])
        return self._last

    def _cancel(self) -> None:
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None

    def _on_read(self, done: Future[Result]) -> None:
        if not (self._closed or done.cancelled()):
            self.read.emit()

    def _deliver(self, path: Path, done: Future[Result]) -> None:
        if not self._closed:
            self.arrived.emit(path, done.result())


def _read(source: Source) -> Result:
    try:
        return read_sequence(source)
    except SegmentationError as error:
        return error
    except Exception as error:  # otherwise lost in the thread of the pool
        return DataError(log.problem(error, source.files[0]))
