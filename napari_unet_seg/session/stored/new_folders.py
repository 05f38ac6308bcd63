"""New folders of sessions and rounds."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import within, write_error
from napari_unet_seg.io.disk.listing import is_taken
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def new_session_folder(folder: Path) -> Iterator[Path]:
    """Fill a temporary folder, and rename it to the wanted folder when it is complete."""
    if os.path.isfile(folder / SESSION_FILE):
        raise DataError(f"{folder} holds a session already; open it or choose another folder.")
    if is_taken(folder):
        raise DataError(f"{folder} is in use for other files; choose a new or empty folder.")
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def new_round_folder(session: Path, after: int = 0) -> Path:
    """Make the folder of a session's next round of fine-tuning, numbered above `after`."""
    rounds = within(session, session / "rounds")
    used = [int(p.name) for p in rounds.glob("*") if p.name.isdigit()]
    folder = rounds / f"{max([after, *used]) + 1:02d}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder
