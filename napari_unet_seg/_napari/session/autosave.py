"""Saves a session in the background, one write at a time."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg.errors import DataError, SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_unet_seg.session.session import Session

logger = logging.getLogger(__name__)

INTERVAL_MS = 60_000


class Autosave(QObject):
    """Writes what differs from what is on disk, when asked and every minute.

    What differs is known by the session alone: it compares the record and a hash of each slice
    with those that are stored. So whatever changed the mask is on disk a minute later.

    The pixels are read where they lie while the user goes on painting: a slice that is caught in
    the middle of a stroke is written again by the next save. What cannot be written is tried again
    every minute.

    Parameters
    ----------
    session : Session
        Where it goes.
    pixels : callable
        Returns the mask's array; called on the main thread.
    """

    saved = Signal(object)
    """The time, once everything asked for is on disk; of the saves of every minute, of those that
    found something to write."""
    failed = Signal(object)
    """Why something is not on disk; of what is tried every minute, each reason once."""
    minute = Signal()
    """Time to tell what may have changed."""

    def __init__(
        self, session: Session, pixels: Callable[[], Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._pixels = session, pixels
        self._predictions: dict[int, Any] = {}
        """Later ones that are not on disk yet, by slice."""
        self._told = ""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="autosave")
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._on_minute)
        self._timer.start()

    def save(self, slices: Iterable[int] | None = None) -> None:
        """Write some slices, or all that changed, and the states; returns at once."""
        self._save(slices)

    def replace_prediction(self, index: int, labels: Any) -> None:
        """Store a slice's later prediction; returns at once."""
        self._predictions[index] = labels
        self._submit(self._store_predictions)

    def finish(self) -> bool:
        """Write all that changed and wait for it; returns whether it is on disk."""
        return self._save().result()

    def close(self) -> None:
        """Save for the last time and wait until it is done."""
        self._timer.stop()
        self.finish()
        self._pool.shutdown(wait=True)

    def _on_minute(self) -> None:
        self.minute.emit()
        self._save(again=True)

    def _save(self, slices: Iterable[int] | None = None, *, again: bool = False) -> Future[bool]:
        labels = self._pixels()

        def work() -> bool:
            found = not self._session.is_stored
            try:
                # First: states tell how slices differ from these.
                found |= self._store_predictions()
            finally:
                found |= bool(self._session.save_mask(labels, slices))
            return found

        return self._submit(work, again=again)

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

    def _submit(self, work: Callable[[], bool], *, again: bool = False) -> Future[bool]:
        return self._pool.submit(self._work, work, again)

    def _work(self, work: Callable[[], bool], again: bool) -> bool:
        try:
            found = work()
        except Exception as error:  # in a pool's thread nobody else would see it
            self._tell(error, again)
            return False
        self._told = ""
        if found or not again:
            self.saved.emit(datetime.now())
        return True

    def _tell(self, error: Exception, again: bool) -> None:
        reason = error
        if not isinstance(error, SegmentationError):
            logger.error("Saving failed", exc_info=error)
            reason = DataError(f"{self._session.folder} cannot be saved: {error}.")
        if not again or str(reason) != self._told:
            self.failed.emit(reason)
        self._told = str(reason)
