"""A folder of scans that is gone through: what is in it, and what reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari_unet_seg._napari.scans.read_ahead import ReadAhead
from napari_unet_seg._napari.scans.states import ScanStates
from napari_unet_seg._napari.scans.thumbnails import ScanThumbnails, of_scan, of_session
from napari_unet_seg.io.common.files import split_suffix
from napari_unet_seg.io.find import find_scans_and_series
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from napari_unet_seg._napari.scans.thumbnails import ThumbnailSource
    from napari_unet_seg.session.folders import Found
    from napari_unet_seg.session.review_queue import Queue

    Named = list[tuple[Path, str]]


class OtherSessions(NamedTuple):
    """The sessions on other scans of a folder, of the categories of the open one."""

    folder: ScanFolder
    categories: list[str]
    sessions: list[Found]
    """Those that have accepted slices."""


class ScanFolder:
    """Reads scans and their sessions in threads, until `close`.

    Parameters
    ----------
    named : list of (Path, str)
        The scans, as `finding` yields them.
    live : callable
        Returns what the picture of a scan is drawn from, if that one is open.
    ratio : float
        Pixels of the screen to one of its scale.
    """

    def __init__(
        self, named: Named, live: Callable[[int], ThumbnailSource | None], ratio: float = 1.0
    ) -> None:
        self._live = live
        self.paths = [path for path, _ in named]
        self.names = [name for _, name in named]
        """Of their sessions."""
        self.titles = [path.name for path in self.paths]
        self.reader = ReadAhead()
        self.states = ScanStates(self.paths, self.names)
        self.thumbnails = ScanThumbnails(self._source, ratio)
        self.workers = (self.reader, self.states, self.thumbnails)

    def read_next(self, queue: Queue, at: int) -> None:
        """Read the scan after this one; one with a session is read when that is opened."""
        following = queue.step(at, 1)
        if following != at and self.states.found[following] is None:
            self.reader.read_ahead(self.paths[following])

    def close(self) -> None:
        """Read no more."""
        for worker in self.workers:
            worker.close()

    def _source(self, at: int) -> ThumbnailSource | None:
        live, found = self._live(at), self.states.found[at]
        if live is not None:
            return live
        if found is not None:
            return of_session(found)
        scan = self.reader.peek(self.paths[at])  # else it would be read for its picture alone
        return None if scan is None else of_scan(scan)


def finding(folder: Path) -> Generator[Named, Any, None]:
    """Find the scans of a folder, each with the name that its session has."""
    yield [(path, _name(path)) for path in find_scans_and_series(folder.absolute())]


def _name(path: Path) -> str:
    return split_suffix(path)[0] if path.is_file() or is_zarr(path) else path.name
