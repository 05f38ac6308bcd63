"""What the workers of the tests do; they import it by its name."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def square(item: int) -> int:
    return item * item


def in_reverse(folder: Path, item: int) -> int:
    """The first item waits until the second is done."""
    if item == 0:
        while not (folder / "1").exists():
            time.sleep(0.01)
    (folder / str(item)).touch()
    return item


def fails_here_once(folder: Path, item: int) -> int:
    """Fail at the worker that takes it first."""
    (folder / f"{item}-{os.getpid()}").touch()
    if len(list(folder.glob(f"{item}-*"))) < 2:
        raise DataError(f"The memory of {os.getpid()} is too small.")
    return os.getpid()


def refuses(item: int) -> int:
    if item == 3:
        raise DataError("scan 3 is torn; copy it again.")
    if item == 4:
        raise ZeroDivisionError("nothing to divide by")
    return item


def kills_its_worker(folder: Path, times: int, item: int) -> int:
    marks = list(folder.glob("death*"))
    if item == 2 and len(marks) < times:
        (folder / f"death{len(marks)}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def never_ends(item: int) -> int:
    while item == 2:
        time.sleep(0.01)
    return item


def takes_its_time(item: int) -> int:
    time.sleep(0.1)
    return item
