"""The review states of a folder's scans, read from the sessions on disk."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg.session.folders import find_session
from napari_unet_seg.session.review_queue import Queue, sorted_slices
from napari_unet_seg.session.scan_review import ScanReview, scan_review

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.session.folders import FoundSession
    from napari_unet_seg.session.review_queue import Order, ReviewState

logger = logging.getLogger(__name__)

_BATCH = 50
"""Number of scans between two signals."""


class ScanStates(QObject):
    """Reads the `session.json` of the scans' sessions in a thread.

    Parameters
    ----------
    sources : sequence of Source
        The scans, in their order.
    names : sequence of str
        The names of the scans' sessions.
    """

    changed = Signal()
    """The state or the session of some scans changed."""
    refreshed = Signal()
    """All sessions of `refresh` have been read."""
    _read = Signal(object, object)
    _ended = Signal(object)

    def __init__(self, sources: Sequence[Source], names: Sequence[str]) -> None:
        super().__init__()
        self.sources, self.names = sources, names
        self.reviews = [ScanReview()] * len(sources)
        self.found: list[FoundSession | None] = [None] * len(sources)
        self._open: int | None = None
        self._refresh: object = None
        """Token of the last `refresh`; results of previous ones are ignored."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self._read.connect(self._on_read)
        self._ended.connect(self._on_ended)

    @property
    def scores(self) -> list[float | None]:
        """Predicted Dice of each scan, the mean over its slices."""
        return [review.dice for review in self.reviews]

    def queue(self, order: Order, shown: ReviewState | None) -> Queue:
        """Put the scans in an order, all or those of one state."""
        states = [review.state for review in self.reviews]
        return Queue(sorted_slices(self.scores, order), states, shown)

    def refresh(self, parent: Path) -> None:
        """Read the sessions in a folder that are new or have changed since the last time."""
        self._refresh = refresh = object()
        self._pool.submit(self._read_sessions, refresh, parent, tuple(self.found))

    def refresh_scan(self, at: int, parent: Path) -> None:
        """Read the session of one scan, in this thread."""
        self.found[at] = found = self.find(at, parent, self.found[at])
        self.reviews[at] = _review_of(found)

    def find(
        self, at: int, parent: Path, before: FoundSession | None = None
    ) -> FoundSession | None:
        """Return the session of a scan, `before` if that has not changed; None if there is none."""
        try:
            return find_session(parent, self.names[at], self.sources[at], before)
        except Exception:  # otherwise lost in the thread of the pool
            logger.exception("The session of %s could not be read", self.sources[at].files[0])
            return None

    def set_open(self, at: int | None, review: ScanReview | None = None) -> None:
        """Set the open scan and the review of its session; None for no open scan."""
        self._open = at
        if at is not None and review is not None:
            self.reviews[at] = review

    def close(self) -> None:
        """Stop reading."""
        self._refresh = None
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.deleteLater()

    def _read_sessions(
        self, refresh: object, parent: Path, found_before: Sequence[FoundSession | None]
    ) -> None:
        batch: dict[int, FoundSession | None] = {}
        for at, before in enumerate(found_before):
            if self._refresh is not refresh:
                return
            found = self.find(at, parent, before)
            if found is not before:
                batch[at] = found
            if len(batch) >= _BATCH:
                self._read.emit(refresh, batch)
                batch = {}
        self._read.emit(refresh, batch)
        self._ended.emit(refresh)

    def _on_read(self, refresh: object, batch: dict[int, FoundSession | None]) -> None:
        if refresh is not self._refresh:
            return
        for at, found in batch.items():
            self.found[at] = found
            if at != self._open:
                self.reviews[at] = _review_of(found)
        if batch:
            self.changed.emit()

    def _on_ended(self, refresh: object) -> None:
        if refresh is self._refresh:
            self.refreshed.emit()


def _review_of(found: FoundSession | None) -> ScanReview:
    return scan_review(found.record.states, found.record.predicted_dice) if found else ScanReview()
