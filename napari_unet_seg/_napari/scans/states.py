"""How far the review of each scan of a folder is, read from the sessions on disk."""

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

    from napari_unet_seg.session.folders import Found
    from napari_unet_seg.session.review_queue import Order, ReviewState

logger = logging.getLogger(__name__)

_BATCH = 50
"""Scans that are looked for between two signals."""


class ScanStates(QObject):
    """Reads the sessions of scans in a thread, their `session.json` alone.

    Parameters
    ----------
    paths : sequence of Path
        The scans, in their order.
    names : sequence of str
        After which their sessions are named.
    """

    changed = Signal()
    """Some scans have another review, or another session."""
    looked = Signal()
    """All sessions that are there have been read."""
    _read = Signal(object, object)
    _ended = Signal(object)

    def __init__(self, paths: Sequence[Path], names: Sequence[str]) -> None:
        super().__init__()
        self.paths, self.names = paths, names
        self.reviews = [ScanReview()] * len(paths)
        self.found: list[Found | None] = [None] * len(paths)
        self._live: int | None = None
        self._look: object = None
        """The last one that was started; those before it have nothing more to tell."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self._read.connect(self._on_read)
        self._ended.connect(self._on_ended)

    @property
    def figures(self) -> list[float | None]:
        """Predicted Dice of the scans."""
        return [review.dice for review in self.reviews]

    def queue(self, order: Order, shown: ReviewState | None) -> Queue:
        """Put the scans in an order, all or those of one state."""
        states = [review.state for review in self.reviews]
        return Queue(sorted_slices(self.figures, order), states, shown)

    def look(self, parent: Path) -> None:
        """Read the sessions in a folder that are new, or were written since they were read."""
        self._look = look = object()
        self._pool.submit(self._work, look, parent, tuple(self.found))

    def look_at(self, at: int, parent: Path) -> None:
        """Read the session of one scan now."""
        self.found[at] = found = _find(parent, self.names[at], self.paths[at], self.found[at])
        self.reviews[at] = _review_of(found)

    def set_live(self, at: int | None, review: ScanReview | None = None) -> None:
        """Take the review of the scan that is open from its session, no more where it is None."""
        self._live = at
        if at is not None and review is not None:
            self.reviews[at] = review

    def close(self) -> None:
        """Read no more."""
        self._look = None
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.deleteLater()

    def _work(self, look: object, parent: Path, known: Sequence[Found | None]) -> None:
        batch: dict[int, Found | None] = {}
        for at, (path, before) in enumerate(zip(self.paths, known, strict=True)):
            if self._look is not look:
                return
            found = _find(parent, self.names[at], path, before)
            if found is not before:
                batch[at] = found
            if len(batch) >= _BATCH:
                self._read.emit(look, batch)
                batch = {}
        self._read.emit(look, batch)
        self._ended.emit(look)

    def _on_read(self, look: object, batch: dict[int, Found | None]) -> None:
        if look is not self._look:
            return
        for at, found in batch.items():
            self.found[at] = found
            if at != self._live:
                self.reviews[at] = _review_of(found)
        if batch:
            self.changed.emit()

    def _on_ended(self, look: object) -> None:
        if look is self._look:
            self.looked.emit()


def _find(parent: Path, name: str, path: Path, before: Found | None) -> Found | None:
    try:
        return find_session(parent, name, path, before)
    except Exception:  # in a pool's thread nobody else would see it
        logger.exception("The session of %s could not be looked for", path)
        return None


def _review_of(found: Found | None) -> ScanReview:
    return scan_review(found.record.states, found.record.predicted_dice) if found else ScanReview()
