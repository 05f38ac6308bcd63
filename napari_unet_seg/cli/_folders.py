"""Output folders, and scratch folders for results too large for the memory."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_unet_seg.errors import WriteError
from napari_unet_seg.io.disk.files import write_error
from napari_unet_seg.session.stored.lock import SessionLock

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".prediction-"
_CONTENT = "result"


def make_folder(folder: Path) -> None:
    """Create an output folder if it does not exist.

    Raises
    ------
    WriteError
        If the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise WriteError(f"{folder} is a file; choose another output folder.") from error
    except OSError as error:
        raise write_error(folder, error) from error


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Create an output folder; remove it at the end of the block if it is new and empty."""
    is_new = not folder.exists()
    make_folder(folder)
    try:
        yield
    finally:
        if is_new:
            # Fails for a folder with results, which must stay.
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """Yield the path of a new folder, which is removed at the end of the block.

    Parameters
    ----------
    out : Path
        Folder that the new folder is created in.

    Raises
    ------
    WriteError
        If `out` cannot be written to.
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
            # Before the lock is released: without a lock an incomplete removal is never repeated.
            shutil.rmtree(folder / _CONTENT, ignore_errors=True)
            lock.release()


def remove_abandoned(out: Path) -> None:
    """Remove the scratch folders of killed runs; those of active runs stay."""
    for folder in out.glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not SessionLock(folder).is_abandoned_here():
            continue
        shutil.rmtree(folder / _CONTENT, ignore_errors=True)
        # The engine may still write for some moments after its program was killed: then the next
        # run removes the folder.
        if not (folder / _CONTENT).exists():
            shutil.rmtree(folder, ignore_errors=True)
