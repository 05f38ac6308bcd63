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

    from napari_unet_seg.session import Session

logger = logging.getLogger(__name__)

INTERVAL_MS = 60_000


class Autosave(QObject):
    """Writes what changed in a mask, when asked and every minute of painting.

    The pixels are read where they lie while the user goes on painting: a slice that is caught in
    the middle of a stroke is written again by the next save.

    Parameters
    ----------
    session : Session
        Where it goes.
    pixels : callable
        Returns the mask's array; called on the main thread.
    """

    saved = Signal(object)
    """The time, once everything asked for is on disk."""
    failed = Signal(object)
    minute = Signal()
    """Time to tell what may have changed."""

    def __init__(
        self, session: Session, pixels: Callable[[], Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._pixels = session, pixels
        self._touched = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="autosave")
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._on_minute)
        self._timer.start()

    def touch(self) -> None:
        """Tell that something may have changed since the last whole save."""
        self._touched = True

    def save(self, slices: Iterable[int] | None = None) -> None:
        """Write some slices, or all that changed, and the states; returns at once."""
        if slices is None:
            self._touched = False
        labels = self._pixels()
        self._submit(lambda: self._session.save_mask(labels, slices))

    def replace_prediction(self, index: int, labels: Any) -> None:
        """Store a slice's later prediction; returns at once."""
        self._submit(lambda: self._session.masks.replace_prediction(index, labels))

    def finish(self) -> bool:
        """Write all that changed and wait for it; returns whether it is on disk."""
        self._touched = False
        labels = self._pixels()
        return self._submit(lambda: self._session.save_mask(labels)).result()

    def close(self) -> None:
        """Save for the last time and wait until it is done."""
        self._timer.stop()
        self.finish()
        self._pool.shutdown(wait=True)

    def _on_minute(self) -> None:
        self.minute.emit()
        if self._touched:
            self.save()

    def _submit(self, work: Callable[[], object]) -> Future[bool]:
        return self._pool.submit(self._work, work)

    def _work(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except SegmentationError as error:
            self.failed.emit(error)
        except Exception as error:  # in a pool's thread nobody else would see it
            logger.exception("Saving failed")
            self.failed.emit(DataError(f"{self._session.folder} cannot be saved: {error}."))
        else:
            self.saved.emit(datetime.now())
            return True
        return False
