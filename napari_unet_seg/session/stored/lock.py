"""The lock of a session: one process writes at a time, and unclosed sessions are detected."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import atomic, within, write_error
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK, MARK = "session.lock", "open.json"
_PATIENCE = 0.5
"""Seconds to wait for another process that writes only briefly."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class InUseError(DataError):
    """A session is open in another window or process, and only that one may write to it."""


class SessionLock:
    """A lock of the operating system on a session's folder, which a crash releases.

    Any thread may hold the lock, several times over. Reading a session needs no lock.

    Parameters
    ----------
    folder : Path
        Folder of the session.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / LOCK, timeout=_PATIENCE, thread_local=False)
        self._mark = folder / MARK
        self._holders = 0
        self._counting = threading.Lock()
        self.note = ""
        """A warning for the user if the file system has no locks, else empty."""

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._holders > 0

    def hold(self) -> None:
        """Hold the lock until as many calls of `release`, and write a mark for the same time.

        Raises
        ------
        InUseError
            If another process or object holds the lock.
        DataError
            If the folder cannot be written to.
        """
        with self._counting:
            if not self._holders:
                self._take()
                self._leave_mark()
            self._holders += 1

    def hold_again(self) -> bool:
        """Hold the lock once more if this object holds it already; return whether it does."""
        with self._counting:
            self._holders += bool(self._holders)
            return self._holders > 0

    def release(self) -> None:
        """Release the lock once; after the last hold, remove the mark and let others write."""
        with self._counting:
            if self._holders == 1:
                try:
                    with suppress(OSError):  # the folder may be gone, with the mark
                        self._mark.unlink(missing_ok=True)
                finally:
                    self._lock.release()
            self._holders = max(0, self._holders - 1)

    def _leave_mark(self) -> None:
        try:
            with atomic(within(self._folder, self._mark)) as path:
                path.write_text(json.dumps(_this_process()), encoding="utf-8")
        except BaseException:
            self._lock.release()
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock during a single write, without a mark.

        Raises
        ------
        InUseError
            If another process or object holds the lock.
        DataError
            If the folder cannot be written to.
        """
        self._take()
        try:
            yield
        finally:
            self._lock.release()

    def is_abandoned(self) -> bool:
        """Whether there is a mark although nothing holds the lock, as after a crash."""
        if not self._mark.is_file():
            return False
        try:
            with self.writing():
                return True
        except DataError:
            return False

    def is_abandoned_here(self) -> bool:
        """Whether a process of this machine wrote the mark and has certainly ended.

        On some network file systems other machines, or all machines, do not see locks.
        """
        here = self._owner().get("host") == socket.gethostname()
        return here and self.is_abandoned() and not self.note

    def _take(self) -> None:
        within(self._folder, self._folder / LOCK)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise InUseError(self._who()) from error
        except (OSError, NotImplementedError) as error:
            number = getattr(error, "errno", errno.ENOSYS)
            if number not in _NO_LOCKS:
                raise write_error(self._folder / LOCK, OSError(number, str(error))) from error
            self.note = (
                f"The file system of {self._folder} has no locks; open the session in one window "
                "only."
            )

    def _who(self) -> str:
        name, owner = self._folder.name, self._owner()
        if not owner:
            return f"Another process writes to the session {name}; try again when it has ended."
        if owner == _this_process():
            return (
                f"The session {name} is open in another window of this program, or a round of "
                "fine-tuning uses it; close it there, or try again once the round has ended."
            )
        where = f"process {owner['process']} on {owner['host']}"
        return f"The session {name} is open in another window ({where}); close it there first."

    def _owner(self) -> dict[str, Any]:
        """Return the process that wrote the mark; empty if there is no valid mark."""
        try:
            owner = json.loads(self._mark.read_text(encoding="utf-8"))
            return {"process": owner["process"], "host": owner["host"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _this_process() -> dict[str, Any]:
    return {"process": os.getpid(), "host": socket.gethostname()}


def unclosed_since(folder: Path) -> datetime | None:
    """Return the time of the last save of a session that was not closed, as after a crash.

    Returns
    -------
    datetime or None
        None if the session was closed, is open at the moment, or does not exist.
    """
    file = folder / SESSION_FILE
    # Unlike that of a Path, this is False in a folder that may not be read.
    if not os.path.isfile(file) or not SessionLock(folder).is_abandoned():
        return None
    return datetime.fromtimestamp(file.stat().st_mtime)
