"""The files of a session that was moved together with its scan, to another folder or computer."""

from __future__ import annotations

from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.session.stored.scan import hash_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.session.stored.scan import ScanRecord

_DEEPEST = 8
"""Number of folders, from the file up, that may have been moved together with a session."""


class Move:
    """The folder that held a session and its files, as recorded and as it is now.

    Parameters
    ----------
    before : tuple of str
        Parts of the recorded folder's path.
    now : Path
        The same folder now.
    """

    def __init__(self, before: tuple[str, ...], now: Path) -> None:
        self._before, self._now = before, now

    def path(self, recorded: str) -> str:
        """Return where a recorded file is now; the recorded path if it was not moved along."""
        parts = _parts(recorded)
        if parts[: len(self._before)] != self._before:
            return recorded
        moved = self._now.joinpath(*parts[len(self._before) :])
        return str(moved) if moved.exists() and not Path(recorded).exists() else recorded


def find_move(record: ScanRecord, folder: Path) -> Move | None:
    """Find the scan of a session where it lies relative to the session, by its hash.

    Only the recorded paths are known, not where the session was. So every folder above the session
    is tried as the one that held both, with every end of the scan's path.

    Parameters
    ----------
    record : ScanRecord
        The scan, of which a file is not at its recorded path.
    folder : Path
        The session.

    Returns
    -------
    Move or None
        None if no files with the hash of the scan are found.
    """
    for move in _moves(record.paths[0], folder.absolute()):
        paths = [folder / move.path(path) for path in record.paths]
        try:
            if all(path.exists() for path in paths) and hash_of(paths) == record.sha256:
                return move
        except DataError:
            continue  # a file that cannot be read is not the scan
    return None


def _moves(recorded: str, folder: Path) -> Iterator[Move]:
    """Yield the moves after which there is a file at the end of a recorded path."""
    parts = _parts(recorded)
    for now in folder.parents:
        for start in range(max(1, len(parts) - _DEEPEST), len(parts)):
            if now.joinpath(*parts[start:]).exists():
                yield Move(parts[:start], now)


def _parts(path: str) -> tuple[str, ...]:
    kind = PureWindowsPath if "\\" in path else PurePath
    return kind(path).parts
