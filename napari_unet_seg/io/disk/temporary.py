"""Temporary files and folders, and the removal of those that killed processes have left.

A process locks its temporary files while it writes them, and the system unlocks them when it ends.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # on Windows, where open files cannot be renamed either
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARK = "unet-seg"
_NAME = re.compile(rf"\.[0-9a-f]{{8}}\.{_MARK}\.(.+)", re.DOTALL)
_LONGEST = 190
"""Characters of a name that are kept; file systems take 255 bytes."""


def temporary_path(target: Path) -> Path:
    """Return the path of a new temporary file or folder, in the same folder and with the suffix."""
    return target.with_name(f".{secrets.token_hex(4)}.{_MARK}.{target.name[-_LONGEST:]}")


@contextmanager
def in_use(path: Path, *, folder: bool = False) -> Iterator[None]:
    """Create a temporary file or folder, and mark it as in use until the block or process ends.

    Raises
    ------
    OSError
        If it cannot be created.
    """
    if folder:
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    descriptor = _lock(path) if fcntl is not None else None
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_in_use(path: Path) -> bool:
    """Whether a process has marked a file or folder, or may have, where there are no locks."""
    descriptor = _lock(path) if fcntl is not None else None
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def remove_litter(folder: Path, of: str = "") -> None:
    """Remove the temporary files and folders that killed processes have left in a folder.

    Those of processes that live stay, as do files that are not this program's.

    Parameters
    ----------
    folder : Path
        Searched itself, not its folders; need not exist.
    of : str
        Name of the file or folder to be written, if only its temporary ones are to be removed.
    """
    with suppress(OSError):
        for entry in sorted(folder.iterdir()):
            found = _NAME.fullmatch(entry.name)
            wanted = found is not None and of[-_LONGEST:] in ("", found[1])
            if not wanted or entry.is_symlink() or is_in_use(entry):
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _lock(path: Path) -> int | None:
    """Return the descriptor of a file or folder that is locked now; None if it cannot be."""
    descriptor = None
    try:
        # Network file systems lock files that are open for writing only.
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor
