"""Turns of the workers of one test run: many at a time, or one alone."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn among the processes of a run.

    Parameters
    ----------
    folder : Path
        That all of them share, and nobody else.
    alone : bool
        Whether nobody else may have a turn at the same time.
    """
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        # Whoever waits for an empty room holds the door, so that nobody enters meanwhile.
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
