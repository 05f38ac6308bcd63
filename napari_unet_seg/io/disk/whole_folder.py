"""Folders that appear with all of their content, or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import write_error
from napari_unet_seg.io.disk.listing import is_taken
from napari_unet_seg.io.disk.temporary import in_use, remove_litter, temporary_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes the target at the end of the block.

    After an error, or if the block has removed the temporary folder, there is no target.

    Raises
    ------
    DataError
        If the target exists and is no empty folder, or cannot be written.
    """
    if is_taken(target):
        raise DataError(f"{target} exists already; choose a new folder for the data set.")
    remove_litter(target.parent, of=target.name)
    part = temporary_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with in_use(part, folder=True):
            yield part
        if part.exists():
            if target.exists():
                target.rmdir()
            os.replace(part, target)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
