"""Listing of folders of the user, of which some or all cannot be read."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def entries(folder: Path) -> list[Path]:
    """List what is in a folder, sorted, without hidden files and folders.

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    try:
        # A folder may give its names and yet not let its files be opened, nor be asked for.
        os.stat(os.path.join(folder, os.curdir))
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [folder / name for name in names if not name.startswith(".")]


def is_taken(path: Path) -> bool:
    """Whether something has the name of a new folder, other than an empty one.

    Raises
    ------
    DataError
        If the folder of that name cannot be read.
    """
    try:
        return path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise _unreadable(path, error) from error


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it; subfolders that cannot be read are left out.

    Raises
    ------
    DataError
        If the folder itself cannot be read.
    """
    for path in entries(folder):
        if os.path.isfile(path):  # unlike that of a Path, False for what cannot be asked for
            yield path
        elif os.path.isdir(path) and not path.is_symlink():
            with suppress(DataError):
                yield from files_below(path)


def _unreadable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"{folder} cannot be read ({error.strerror}); allow it, or choose another folder."
    )
