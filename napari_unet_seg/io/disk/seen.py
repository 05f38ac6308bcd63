"""What this process has seen of files, so that no change by another program is written over.

A file is seen when a layer or session is made from its content, and when it is written. Before it
is replaced, its present content is compared: a file that has changed since is not replaced.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from napari_unet_seg.errors import ChangedError

Stamp = tuple[int, ...]
"""Inode, modification time and size of a file, or of the files of a folder with their names."""


class Fingerprint(NamedTuple):
    """The content of a file or folder at one time."""

    stamp: Stamp
    digest: str
    """SHA-256."""


_MISSING = Fingerprint((), "")
_seen: dict[str, Fingerprint] = {}


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of a file or folder as it is now, None if there is none."""
    try:
        files = _files(path)
        stats = [file.stat() for file in files]
    except OSError:
        return None
    # The names count too, since a renamed file keeps the rest.
    names = map(hash, files) if path.is_dir() else ()
    return (*names, *(n for s in stats for n in (s.st_ino, s.st_mtime_ns, s.st_size)))


def fingerprint(path: Path) -> Fingerprint | None:
    """Return the fingerprint of a file or folder as it is now, None if there is none."""
    # The stamp is taken first, so that a change in the meantime counts as later.
    stamp = stamp_of(path)
    if stamp is None:
        return None
    total = hashlib.sha256()
    try:
        if path.is_file():
            return Fingerprint(stamp, file_digest(path))
        for file in _files(path):
            total.update(f"{file.relative_to(path).as_posix()}\0{file_digest(file)}\0".encode())
    except OSError:
        return None
    return Fingerprint(stamp, total.hexdigest())


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def saw(path: Path | str, found: Fingerprint | None = None) -> None:
    """Record that a file or folder was read or written, or that the user accepts its present state.

    Parameters
    ----------
    path : Path
        The file or folder, which may be missing.
    found : Fingerprint, optional
        What was read; by default the state of this moment.
    """
    _seen[str(_real(path))] = found or fingerprint(_real(path)) or _MISSING


def last_seen(path: Path | str) -> Fingerprint | None:
    """Return what was seen of a file or folder last, None if it was never seen."""
    return _seen.get(str(_real(path)))


def has_changed(path: Path | str, since: Fingerprint | None = None) -> bool:
    """Whether a file or folder that was seen has other content now.

    Content is read only if the stamp differs. A file that was removed holds nothing to lose and
    counts as unchanged.

    Parameters
    ----------
    path : Path
        The file or folder.
    since : Fingerprint, optional
        The state to compare with; by default the state that was seen last.
    """
    real = _real(path)
    known = since or last_seen(real)
    stamp = stamp_of(real)
    if known is None or stamp is None or stamp == known.stamp:
        return False
    now = fingerprint(real)
    if now is None or now.digest != known.digest:
        return now is not None
    if since is None:
        saw(real, now)  # only touched; spares the next comparison
    return False


def check_seen(path: Path | str) -> None:
    """Check that a file or folder to replace has not changed since it was seen.

    Raises
    ------
    ChangedError
        If it has changed.
    """
    if has_changed(path):
        raise ChangedError(
            f"{path} was not written, since another program has changed it after it was read or "
            "saved here; save under another name, or open it again.",
            Path(path),
        )


def _real(path: Path | str) -> Path:
    return Path(os.path.realpath(path))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())
