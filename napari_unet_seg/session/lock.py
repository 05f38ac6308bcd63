"""One window at a time writes a session, and one that was not closed in good order is known."""

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
from napari_unet_seg.io.common.files import atomic, write_error
from napari_unet_seg.session.scan import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK, MARK = "session.lock", "open.json"
_PATIENCE = 0.5
"""Seconds to wait for somebody who writes for a moment only."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class InUseError(DataError):
    """A session is open in another window or process, which alone may write to it."""


class SessionLock:
    """A lock of the operating system on a session's folder, which a crash gives back.

    Any thread may take it, several times over. Reading needs none.

    Parameters
    ----------
    folder : Path
        Of the session.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / LOCK, timeout=_PATIENCE, thread_local=False)
        self._mark = folder / MARK
        self._holders = 0
        self._counting = threading.Lock()
        self.note = ""
        """What the user should know of a file system without locks."""

    @property
    def held(self) -> bool:
        """Whether this object keeps others from writing."""
        return self._holders > 0

    def hold(self) -> None:
        """Keep others from writing until as many `let_go`, and leave a mark that lasts as long.

        Raises
        ------
        InUseError
            If somebody else does.
        DataError
            If the folder cannot be written to.
        """
        with self._counting:
            if not self._holders:
                self._take()
                self._leave_mark()
            self._holders += 1

    def hold_again(self) -> bool:
        """Hold it once more if this object holds it; return whether it does."""
        with self._counting:
            self._holders += bool(self._holders)
            return self._holders > 0

    def let_go(self) -> None:
        """Take the mark away, and let others write, once nobody holds it any more."""
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
            with atomic(self._mark) as path:
                path.write_text(json.dumps(_this_process()), encoding="utf-8")
        except BaseException:
            self._lock.release()
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write for a moment; while the lock is held by this object, that changes nothing.

        Raises
        ------
        InUseError
            If somebody else holds it.
        DataError
            If the folder cannot be written to.
        """
        self._take()
        try:
            yield
        finally:
            self._lock.release()

    def left(self) -> bool:
        """Whether there is a mark, and nobody who holds the lock."""
        if not self._mark.is_file():
            return False
        try:
            with self.writing():
                return True
        except DataError:
            return False

    def left_here(self) -> bool:
        """Whether it was left by a process of this machine, which is gone for certain.

        On some network file systems locks are unknown to other machines, or to all.
        """
        here = self._owner().get("host") == socket.gethostname()
        return here and self.left() and not self.note

    def _take(self) -> None:
        try:
            self._lock.acquire()
        except Timeout as error:
            raise InUseError(self._who()) from error
        except (OSError, NotImplementedError) as error:
            number = getattr(error, "errno", errno.ENOSYS)
            if number not in _NO_LOCKS:
                raise write_error(self._folder / LOCK, OSError(number, str(error))) from error
            self.note = (
                f"The file system of {self._folder} has no locks; see to it that the session is "
                "open in one window only."
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
        """Who left the mark; empty where there is none, or no right one."""
        try:
            owner = json.loads(self._mark.read_text(encoding="utf-8"))
            return {"process": owner["process"], "host": owner["host"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _this_process() -> dict[str, Any]:
    return {"process": os.getpid(), "host": socket.gethostname()}


def left_open(folder: Path) -> datetime | None:
    """Return when a session was saved last that was not closed in good order, after a crash.

    Returns
    -------
    datetime or None
        None where the session was closed, is open at the moment, or is not there.
    """
    file = folder / NAME
    if not file.is_file() or not SessionLock(folder).left():
        return None
    return datetime.fromtimestamp(file.stat().st_mtime)
