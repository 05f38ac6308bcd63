"""Where the session on a scan lies: in a folder named after the scan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.session.record import read_record
from napari_unet_seg.session.scan import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.session.record import SessionRecord


@dataclass(frozen=True)
class Found:
    """A session, as it was when it was read."""

    folder: Path
    record: SessionRecord
    written: int
    """When, in nanoseconds."""

    @cached_property
    def accepted(self) -> tuple[int, ...]:
        """Slices whose mask is right."""
        return tuple(i for i, state in enumerate(self.record.states) if state.is_accepted)

    @cached_property
    def fresh(self) -> frozenset[int]:
        """Those of them that no round has used."""
        return frozenset(self.accepted) - self.record.sides.keys()


def free_folder(parent: Path, name: str) -> Path:
    """Return a folder that does not exist yet, named after a layer."""
    return next(folder for folder in _named(parent, name) if not folder.exists())


def find_session(parent: Path, name: str, scan: Path, known: Found | None = None) -> Found | None:
    """Return the session on a scan that was worked on last, if there is one.

    Parameters
    ----------
    parent : Path
        Where the sessions are.
    name : str
        After which those on the scan are named.
    scan : Path
        What they are on.
    known : Found, optional
        What was found before; given back where it is still right, so that nothing is read again.
    """
    # When it was written is looked up first, so that what is written meanwhile is later.
    times = {folder: written(folder) for folder in takewhile(Path.exists, _named(parent, name))}
    for folder, when in sorted(times.items(), key=lambda item: item[1], reverse=True):
        if known is not None and (known.folder, known.written) == (folder, when):
            return known
        try:
            record = read_record(folder)
        except DataError:
            continue  # another folder of that name
        if record.origin.scan == str(scan):
            return Found(folder, record, when)
    return None


def written(folder: Path) -> int:
    """Return when the record of a session was written, 0 if it cannot be told."""
    try:
        return (folder / NAME).stat().st_mtime_ns
    except OSError:
        return 0


def _named(parent: Path, name: str) -> Iterator[Path]:
    clean = "".join(c if c.isalnum() or c in " .-_" else "_" for c in name).strip(" .") or "scan"
    yield parent / clean
    yield from (parent / f"{clean}-{number}" for number in count(2))
