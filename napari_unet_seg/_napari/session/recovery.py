"""The record of open sessions in the settings, so that one can be reopened after a crash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_unet_seg._napari.widgets.settings import forget, recall_all, remember
from napari_unet_seg.session.stored.lock import unclosed_since

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

_GROUP = "open_sessions"


class UnclosedSession(NamedTuple):
    """A session that was not closed, as after a crash."""

    folder: Path
    saved: datetime


def record_open(folder: Path) -> None:
    """Record that a session is open."""
    remember(_key(folder), str(folder))


def record_closed(folder: Path) -> None:
    """Remove the record of a session that was closed or is not to be offered again."""
    forget(_key(folder))


def has_records() -> bool:
    """Whether any session is recorded as open."""
    return bool(recall_all(_GROUP))


def find_unclosed() -> Generator[UnclosedSession | None, Any, None]:
    """Yield the most recently saved session that was not closed, None if there is none.

    Sessions that are open in another window or whose disk is not mounted are not considered.
    """
    found = []
    for recorded in recall_all(_GROUP).values():
        folder = Path(recorded)
        saved = unclosed_since(folder)
        if saved is not None:
            found.append(UnclosedSession(folder, saved))
    yield max(found, key=lambda unclosed: unclosed.saved, default=None)


def _key(folder: Path) -> str:
    # A key for each session, so that windows do not overwrite each other's records.
    return f"{_GROUP}/{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
