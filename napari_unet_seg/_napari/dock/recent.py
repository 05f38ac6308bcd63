"""What the user opened last, for the next start of napari."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from napari_unet_seg._napari.widgets.settings import recall, remember

_KEY = "recent"
_MOST = 6


class Recent(NamedTuple):
    """Something that was opened from the dock."""

    kind: str
    """`file`, `folder` or `session`."""
    path: Path

    @property
    def title(self) -> str:
        """The name; a session has that of its folder of scans, and is told from it."""
        return f"{self.path.name} (session)" if self.kind == "session" else self.path.name


def recent() -> list[Recent]:
    """Return what was opened and still exists, the last first."""
    found = (Recent(kind, Path(path)) for kind, path in recall(_KEY, []))
    return [each for each in found if os.path.exists(each.path)]


def last_folder() -> Path:
    """Return the folder of the scans that were opened last, the home folder at first."""
    places = (
        path if kind == "folder" else path.parent for kind, path in recent() if kind != "session"
    )
    return next(places, Path.home())


def add_recent(kind: str, path: Path) -> None:
    """Put something that was opened first on the list."""
    new = [kind, str(path)]
    remember(_KEY, [new, *(each for each in recall(_KEY, []) if each != new)][:_MOST])
