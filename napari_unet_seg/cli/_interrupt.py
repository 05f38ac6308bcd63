"""Ctrl+C: one line and exit code 130, at any time and without a trace."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from types import FrameType

STOPPED = 128 + signal.SIGINT
"""Exit code of a program that Ctrl+C has ended, by the convention of shells."""
_IMPORTING = "<frozen importlib._bootstrap>"
_ending = False


def catch() -> None:
    """End this process quietly at Ctrl+C; write stray errors into the log.

    Stray errors are those of threads, and those that Python ignores.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_error


def interrupt(_: int, frame: FrameType | None) -> None:
    """Handle Ctrl+C: end the commands, and the second time the process.

    While a module is being imported the process ends at once, since C code that imports turns a
    `KeyboardInterrupt` into other errors.
    """
    global _ending
    if _ending:
        leave()
    _ending = True
    say("Stopped.")
    if _is_importing(frame):
        leave()
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Write a line to standard error from a signal handler, which may interrupt a print."""
    with suppress(OSError):
        # After the ^C that a terminal shows.
        os.write(2, f"{os.linesep * os.isatty(2)}{text}{os.linesep}".encode())


def leave() -> NoReturn:
    """End the process at once; processes of the engine end with it."""
    with suppress(Exception):
        sys.stdout.flush()
    os._exit(STOPPED)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _on_unraisable(unraisable: Any) -> None:
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        leave()
    _log(f"Ignored in {unraisable.object!r}", unraisable.exc_value)


def _on_thread_error(args: Any) -> None:
    if args.exc_type is not SystemExit:
        _log(f"The thread {args.thread and args.thread.name} failed", args.exc_value)


def _log(text: str, error: BaseException | None) -> None:
    from napari_unet_seg import log

    log.logger.error(text, exc_info=error)
