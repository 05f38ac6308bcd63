"""Saves a session in the background, one write at a time."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg.errors import ChangedError, DataError, SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_unet_seg.session.session import Session

logger = logging.getLogger(__name__)

INTERVAL_MS = 60_000


class Autosave(QObject):
    """Writes the changes of a session on request and every minute.

    The session itself finds the changes: it compares its record and a hash of each slice with the
    stored ones. So every change of the mask is on disk a minute later.

    The pixels are read in place while the user paints: a slice that is read in the middle of a
    stroke is written again by the next save. A failed save is repeated every minute.

    Parameters
    ----------
    session : Session
        The session to save.
    pixels : callable
        Returns the mask's array; called on the main thread.
    """

    saved = Signal(object)
    """Emitted with the time when a requested save is on disk, or a save of every minute has
    written a change."""
    failed = Signal(object)
    """Emitted with the error of a save; for the saves of every minute, once for each error."""
    minute = Signal()
    """Emitted before the save of every minute."""

    def __init__(
        self, session: Session, pixels: Callable[[], Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._pixels = session, pixels
        self._predictions: dict[int, Any] = {}
        """Later predictions that are not on disk yet, by slice."""
        self._last_error = ""
        self.changed: ChangedError | None = None
        """The error of the last save if another program has changed a file of the session."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="autosave")
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._on_minute)
        self._timer.start()

    def save(self, slices: Iterable[int] | None = None) -> None:
        """Write the changes of some slices, or of all, and the states; return at once."""
        self._save(slices)

    def replace_prediction(self, index: int, labels: Any) -> None:
        """Store a slice's later prediction; return at once."""
        self._predictions[index] = labels
        self._submit(self._store_predictions)

    def store_predictions(self) -> None:
        """Write the later predictions that are not on disk yet, and wait."""
        self._submit(self._store_predictions).result()

    def finish(self) -> bool:
        """Write all changes and wait; return whether they are on disk."""
        return self._save().result()

    def close(self) -> None:
        """Write all changes, wait, and stop saving."""
        self._timer.stop()
        self.finish()
        self._pool.shutdown(wait=True)

    def _on_minute(self) -> None:
        self.minute.emit()
        self._save(again=True)

    def _save(self, slices: Iterable[int] | None = None, *, again: bool = False) -> Future[bool]:
        labels = self._pixels()

        def write() -> bool:
            found = not self._session.is_stored
            try:
                # First, as the states depend on how slices differ from these.
                found |= self._store_predictions()
            finally:
                found |= bool(self._session.save_mask(labels, slices))
            return found

        return self._submit(write, again=again)

    def _store_predictions(self) -> bool:
        """Write later predictions; return whether there were any."""
        waiting = list(self._predictions)
        for index in waiting:
            labels = self._predictions.pop(index)
            try:
                self._session.masks.replace_prediction(index, labels)
            except BaseException:
                self._predictions.setdefault(index, labels)  # there may be a newer one by now
                raise
        return bool(waiting)

    def _submit(self, write: Callable[[], bool], *, again: bool = False) -> Future[bool]:
        return self._pool.submit(self._run, write, again)

    def _run(self, write: Callable[[], bool], again: bool) -> bool:
        try:
            found = write()
        except Exception as error:  # otherwise lost in the thread of the pool
            self._report(error, again)
            return False
        self._last_error, self.changed = "", None
        if found or not again:
            self.saved.emit(datetime.now())
        return True

    def _report(self, error: Exception, again: bool) -> None:
        reason = error
        self.changed = error if isinstance(error, ChangedError) else None
        if not isinstance(error, SegmentationError):
            logger.error("Saving failed", exc_info=error)
            reason = DataError(f"{self._session.folder} cannot be saved: {error}.")
        if not again or str(reason) != self._last_error:
            self.failed.emit(reason)
        self._last_error = str(reason)
