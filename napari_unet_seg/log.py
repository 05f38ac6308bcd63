"""The log: one file for all processes, a line for each long operation and every trace.

The program, the window and the processes of the engine start the log; a script that imports the
package gets the records through `logging`, and no file. Records name files, and hold no pixels and
no metadata of patients.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import time
import warnings
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

PACKAGE = "napari_unet_seg"
FOLDER_VARIABLE = "NAPARI_UNET_SEG_LOG"
"""Environment variable with the folder of the log, in place of the platform's folder."""
LIBRARIES = ("PIL", "highdicom", "imagecodecs", "nibabel", "pydicom", "tifffile", "zarr")
"""Libraries that read and write files; their warnings name no file."""
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_SIZE = 1 << 20
"""Bytes after which a new file is begun."""
_KEPT = 3
"""Number of previous files that are kept."""

logger = logging.getLogger(PACKAGE)
_file: _LogFile | None = None


def path() -> Path:
    """Return the path of the log, which may not exist yet."""
    name = "napari-unet-seg.log"
    if own := os.environ.get(FOLDER_VARIABLE):
        return Path(own) / name
    import platformdirs

    return platformdirs.user_log_path("napari-unet-seg", appauthor=False) / name


def start() -> None:
    """Write the records of the package and of the libraries that read files into the log.

    Crashes of the interpreter are written too. A log that cannot be written never disturbs what is
    logged.
    """
    global _file
    _take_warnings()
    if _file is not None and _file.path == path():
        return
    _stop()
    with suppress(OSError):
        path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _file = _LogFile(path())
    logger.setLevel(logging.INFO)
    for one in (logger, *map(logging.getLogger, LIBRARIES)):
        one.addHandler(_file or logging.NullHandler())
        one.propagate = one is logger
    # nibabel adds a handler of its own to this logger, which writes to the terminal.
    logging.getLogger("nibabel.global").addFilter(_only_log)


def show() -> None:
    """Show the records of the package on standard error too, with details."""
    shown = logging.StreamHandler()
    shown.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(shown)
    logger.setLevel(logging.DEBUG)


def problem(error: Exception, name: object) -> str:
    """Return the sentence about an error of one item of many; others go on.

    Parameters
    ----------
    error : Exception
        The error; an error that nobody foresaw is logged with its trace.
    name : object
        The file or the name of the item.
    """
    if isinstance(error, SegmentationError):
        logger.info("%s: %s", name, error)
        return str(error)
    logger.error("%s failed", name, exc_info=error)
    if isinstance(error, MemoryError):
        return f"{name} does not fit into memory; close other programs or crop it."
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(".: ")
    return (
        f"{name} failed ({reason}); the trace is in the log {path()}, so send a report of "
        "`napari-unet-seg doctor`, or of Help, Report in napari."
    )


@contextmanager
def operation(what: str, **facts: object) -> Iterator[dict[str, object]]:
    """Log one line about the block: what, the facts, the seconds and the outcome.

    Parameters
    ----------
    what : str
        The operation.
    **facts
        For example the name of the file, its size and the device; the block may add others to the
        dictionary that is yielded.
    """
    begin, outcome = time.perf_counter(), "done"
    try:
        yield facts
    except (GeneratorExit, KeyboardInterrupt):
        outcome = "stopped"
        raise
    except SegmentationError as error:
        outcome = f"refused: {error}"
        raise
    except BaseException as error:
        outcome = f"failed: {type(error).__name__}"
        raise
    finally:
        text = " ".join(f"{name}={value}" for name, value in facts.items())
        logger.info("%s %s %.1f s %s", what, text, time.perf_counter() - begin, outcome)


class _LogFile(RotatingFileHandler):
    """Appends to the log, as other processes do at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._holds_crashes = False
        super().__init__(path, maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8")
        self.setFormatter(logging.Formatter(_FORMAT))

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        if self._holds_crashes or not faulthandler.is_enabled():
            faulthandler.enable(stream)
            self._holds_crashes = True
        return stream

    def close(self) -> None:
        """Close the file."""
        if self._holds_crashes:
            faulthandler.disable()
            self._holds_crashes = False
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore a full disk, for example; `logging` would write a trace to the terminal."""


def _stop() -> None:
    global _file
    if _file is None:
        return
    for one in (logger, *map(logging.getLogger, LIBRARIES)):
        one.removeHandler(_file)
    _file.close()
    _file = None


def _only_log(record: logging.LogRecord) -> bool:
    """Hand a record to the log, and to no other handler."""
    if _file is not None:
        _file.handle(record)
    return False


def keep_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int
) -> None:
    """Write a warning into the log, with its place in the code."""
    logger.warning("%s:%d: %s: %s", filename, lineno, category.__name__, message)


def _take_warnings() -> None:
    """Keep warnings of libraries in the log; others are shown as before.

    napari replaces the function that shows warnings when its window opens, so that the last one is
    wrapped.
    """
    before = warnings.showwarning
    if getattr(before, "__module__", "") == __name__:
        return

    def keep_or_show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        origin = category.__module__.partition(".")[0]
        places = {*Path(filename).parts, origin}
        if origin == PACKAGE or places.isdisjoint((PACKAGE, *LIBRARIES)):
            before(message, category, filename, lineno, file, line)
        else:
            keep_warning(message, category, filename, lineno)

    warnings.showwarning = keep_or_show
