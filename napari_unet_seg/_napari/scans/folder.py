"""A folder of scans: its scans, and the threads that read them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from napari_unet_seg._napari.scans.scan_reader import ScanReader
from napari_unet_seg._napari.scans.states import ScanStates
from napari_unet_seg._napari.scans.thumbnails import (
    ScanThumbnails,
    source_of_scan,
    source_of_session,
)
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg._napari.scans.thumbnails import ThumbnailSource
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.cases.scans import CaseScan
    from napari_unet_seg.session.folders import FoundSession
    from napari_unet_seg.session.review_queue import Queue


class OtherSessions(NamedTuple):
    """The sessions on other scans of a folder, with the categories of the open session."""

    folder: ScanFolder
    categories: list[str]
    sessions: list[FoundSession]
    """The sessions with accepted slices."""

    @classmethod
    def of(cls, folder: ScanFolder, at: int | None, categories: Sequence[Category]) -> Self:
        """Return the sessions of a folder that go with an open one on its scan `at`."""
        wanted = names(categories)
        sessions = [
            found
            for index, found in enumerate(folder.states.found)
            if index != at
            and found is not None
            and found.accepted
            and names(found.record.categories) == wanted
        ]
        return cls(folder, wanted, sessions)


class ScanFolder:
    """Reads scans and their sessions in threads, until `close`.

    Parameters
    ----------
    scans : sequence of CaseScan
        The cases of the folder, from `case_scans`.
    open_source : callable
        Returns the source of a scan's thumbnail if that scan is open, else None.
    ratio : float
        Pixels of the screen in a device-independent pixel.
    """

    def __init__(
        self,
        scans: Sequence[CaseScan],
        open_source: Callable[[int], ThumbnailSource | None],
        ratio: float = 1.0,
    ) -> None:
        self._open_source = open_source
        self.scans = scans
        self.paths = [scan.path for scan in scans]
        """Files, or the folders of stacks and series, of which one may hold several scans."""
        self.sources = [scan.source for scan in scans]
        self.names = [scan.case.name for scan in scans]
        """Names of the scans' sessions."""
        self.titles = _titles(scans)
        self.reader = ScanReader()
        self.states = ScanStates(self.sources, self.names)
        self.thumbnails = ScanThumbnails(self._source, ratio)
        self.workers = (self.reader, self.states, self.thumbnails)

    @property
    def root(self) -> Path:
        """The folder that holds all scans."""
        return Path(os.path.commonpath([path.parent for path in self.paths]))

    def read_next(self, queue: Queue, at: int) -> None:
        """Read the scan after a scan in advance; a session's scan is read with the session."""
        following = queue.step(at, 1)
        if following != at and self.states.found[following] is None:
            self.reader.read_ahead(self.sources[following])

    def close(self) -> None:
        """Stop reading."""
        for worker in self.workers:
            worker.close()

    def _source(self, at: int) -> ThumbnailSource | None:
        open_source, found = self._open_source(at), self.states.found[at]
        if open_source is not None:
            return open_source
        if found is not None:
            return source_of_session(found)
        scan = self.reader.peek(self.sources[at])  # no scan is read for its thumbnail alone
        return None if scan is None else source_of_scan(scan)


def _titles(scans: Sequence[CaseScan]) -> list[str]:
    """Return names of files, or of cases where these tell more."""
    counts = Counter(path.name for path, _ in scans)
    return [
        path.name if counts[path.name] == 1 and len(case.sequences) == 1 else case.name
        for path, case in scans
    ]
