"""Sessions that are open, remembered so that one left by a crash is offered again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_unet_seg._napari.widgets.settings import forget, recall_all, remember
from napari_unet_seg.session.session import unclosed_since

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

_GROUP = "open_sessions"


class LeftOpen(NamedTuple):
    """A session that was not closed in good order."""

    folder: Path
    saved: datetime


def note_open(folder: Path) -> None:
    """Remember that a session is open."""
    remember(_key(folder), str(folder))


def note_closed(folder: Path) -> None:
    """Forget a session, since it was closed or is not wanted back."""
    forget(_key(folder))


def any_noted() -> bool:
    """Whether there is anything to look for."""
    return bool(recall_all(_GROUP))


def looking() -> Generator[LeftOpen | None, Any, None]:
    """Yield the session that was saved last of those left open, None if there is none.

    Sessions that are open in another window are left alone, as are those whose disk is away.
    """
    found = []
    for noted in recall_all(_GROUP).values():
        folder = Path(noted)
        saved = unclosed_since(folder)
        if saved is not None:
            found.append(LeftOpen(folder, saved))
    yield max(found, key=lambda left: left.saved, default=None)


def _key(folder: Path) -> str:
    # One key for each, so that windows that open and close at a time do not undo each other's note.
    return f"{_GROUP}/{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
