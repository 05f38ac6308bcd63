"""A thread that reads scans, one of them in advance."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg import log
from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.io.cases.read import read_sequence

if TYPE_CHECKING:
    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.io.common.scan import Scan

    Result = Scan | SegmentationError


class ScanReader(QObject):
    """Reads one scan at a time, and keeps at most one scan that was not requested yet."""

    arrived = Signal(object, object)
    """Emitted with the source of a request, and the scan or the error of reading it."""
    read = Signal()
    """Emitted when the scan read in advance is available to `peek`."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="scans")
        self._ahead: tuple[Source, Future[Result]] | None = None
        self._last: Future[Result] | None = None
        self._closed = False

    @property
    def ahead(self) -> Source | None:
        """The source of the scan that is or was read in advance."""
        return None if self._ahead is None else self._ahead[0]

    def read_ahead(self, source: Source) -> None:
        """Read a scan in advance, in place of any other scan read in advance."""
        if self._ahead is None or self._ahead[0] != source:
            self._cancel()
            self._ahead = source, self._submit(source)
            self._ahead[1].add_done_callback(self._on_read)

    def peek(self, source: Source) -> Scan | None:
        """Return the scan of a source if it was read in advance; it stays available."""
        if self._ahead is None or self._ahead[0] != source or not self._ahead[1].done():
            return None
        result = self._ahead[1].result()
        return None if isinstance(result, SegmentationError) else result

    def request(self, source: Source) -> None:
        """Request a scan; `arrived` delivers it, at once if it was read in advance."""
        if self._ahead is None or self._ahead[0] != source:
            self._cancel()
            future = self._submit(source)
        else:
            future = self._ahead[1]
        self._ahead = None
        future.add_done_callback(lambda done: self._deliver(source, done))

    def close(self) -> None:
        """Stop reading, without waiting for the file that is being read."""
        self._closed = True
        self._cancel()
        self._pool.shutdown(wait=self._last is None or self._last.done())
        self.deleteLater()

    def _submit(self, source: Source) -> Future[Result]:
        self._last = self._pool.submit(_read, source)
        return self._last

    def _cancel(self) -> None:
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None

    def _on_read(self, done: Future[Result]) -> None:
        if not (self._closed or done.cancelled()):
            self.read.emit()

    def _deliver(self, source: Source, done: Future[Result]) -> None:
        if not self._closed:
            self.arrived.emit(source, done.result())


def _read(source: Source) -> Result:
    try:
        return read_sequence(source)
    except SegmentationError as error:
        return error
    except Exception as error:  # otherwise lost in the thread of the pool
        return DataError(log.problem(error, source.files[0]))
