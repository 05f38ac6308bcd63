"""Folders beside the masks for what is too large for memory until it is one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_unet_seg.io.common.files import write_error
from napari_unet_seg.session.lock import SessionLock

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".prediction-"
_CONTENT = "result"


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """Give a folder, yet to be made, that is removed at the end of the block.

    Raises
    ------
    WriteError
        If nothing can be written to `out`.
    """
    try:
        temporary = TemporaryDirectory(prefix=_PREFIX, dir=out)
    except OSError as error:
        raise write_error(out, error) from error
    with temporary as name:
        folder = Path(name)
        lock = SessionLock(folder)
        lock.hold()
        try:
            yield folder / _CONTENT
        finally:
            # Before the mark goes, by which the folder is known should this be cut short.
            shutil.rmtree(folder / _CONTENT, ignore_errors=True)
            lock.let_go()


def remove_left(out: Path) -> None:
    """Remove what runs left that were killed, and nothing of those that go on."""
    for folder in out.glob(f"{_PREFIX}*"):
        if not SessionLock(folder).left_here():
            continue
        shutil.rmtree(folder / _CONTENT, ignore_errors=True)
        # The engine outlives the program by moments, and may write on: then the next run tries it.
        if not (folder / _CONTENT).exists():
            shutil.rmtree(folder, ignore_errors=True)
