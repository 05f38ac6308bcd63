"""The folder of a session, named after its case, and the search for the session on a scan."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.session.stored.record import read_record
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.session.stored.record import SessionRecord

_LONGEST_GAP = 9
"""Most numbers of sessions in a row that are looked for in vain."""


@dataclass(frozen=True)
class FoundSession:
    """A session on disk, with its record."""

    folder: Path
    record: SessionRecord
    written: int
    """Modification time of the record, in nanoseconds since 1970."""

    @cached_property
    def accepted(self) -> tuple[int, ...]:
        """Accepted slices, corrected or not."""
        return tuple(i for i, state in enumerate(self.record.states) if state.is_accepted)


def free_folder(parent: Path, name: str) -> Path:
    """Return a folder that does not exist yet, named after a case."""
    return next(folder for folder in _named(parent, name) if not os.path.exists(folder))


def find_session(
    parent: Path, name: str, scan: Source, previous: FoundSession | None = None
) -> FoundSession | None:
    """Return the most recently saved session on a scan or its case, None if there is none.

    Parameters
    ----------
    parent : Path
        Folder of the sessions.
    name : str
        Name of the case, from which the names of its sessions are made.
    scan : Source
        One of the sequences of the case.
    previous : FoundSession, optional
        Result of the last search; returned again if its record has not changed since.
    """
    # The times are taken first, so that a record written in the meantime counts as newer.
    times = {folder: record_time(folder) for folder in _existing(parent, name)}
    for folder, when in sorted(times.items(), key=lambda item: item[1], reverse=True):
        if previous is not None and (previous.folder, previous.written) == (folder, when):
            return previous
        try:
            record = read_record(folder)
        except DataError:
            continue  # no session, or a damaged or newer one, beside which there may be others
        if record.is_on(scan):
            return FoundSession(folder, record, when)
    return None


def _existing(parent: Path, name: str) -> Iterator[Path]:
    """Yield the folders of a case's sessions; one that was deleted leaves a gap in the numbers."""
    missing = 0
    for folder in _named(parent, name):
        if os.path.exists(folder):
            missing = 0
            yield folder
        elif (missing := missing + 1) > _LONGEST_GAP:
            return


def record_time(folder: Path) -> int:
    """Return the modification time of a session's record in nanoseconds, 0 if there is none."""
    try:
        return (folder / SESSION_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def damaged_sessions(parent: Path, name: str) -> list[Path]:
    """Return the sessions of a case that cannot be read, which `find_session` passes over."""
    damaged = []
    for folder in _existing(parent, name):
        if not os.path.isfile(folder / SESSION_FILE):
            continue
        try:
            read_record(folder)
        except DataError:
            damaged.append(folder)
    return damaged


def _named(parent: Path, name: str) -> Iterator[Path]:
    clean = "".join(c if c.isalnum() or c in " .-_" else "_" for c in name).strip(" .") or "scan"
    yield parent / clean
    yield from (parent / f"{clean}-{number}" for number in count(2))
