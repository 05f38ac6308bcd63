"""Running the generators of events, and ending them in good order."""

from __future__ import annotations

import functools
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from napari_unet_seg.cli._console import warn
from napari_unet_seg.errors import WriteError
from napari_unet_seg.events import Command
from napari_unet_seg.io.common.files import write_error
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

Failure = tuple[str, str]
"""The name of what failed, and its problem."""

BAD_INPUT = 2
"""Exit code where some input was bad; what could be done with the rest is done."""


@functools.cache
def engine() -> EngineProcess:
    """Return the process that runs the network; it ends with the program.

    In a process of its own it is told how to keep memory before it starts, and a crash or want
    of memory in it ends in a message.
    """
    return EngineProcess()


class Stop:
    """Ctrl+C, or a termination signal, as a wish that is granted at the next event.

    A second Ctrl+C ends the program at once.
    """

    def __init__(self) -> None:
        self.signal = 0

    def __bool__(self) -> bool:
        return bool(self.signal)

    @property
    def exit_code(self) -> int:
        """As the shell has it: 130 after Ctrl+C, 143 after termination."""
        return 128 + self.signal

    def wish(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if self.signal:
            raise KeyboardInterrupt
        self.signal = int(number)
        warn("Stopping after this step; press Ctrl+C again to end at once.")


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Catch Ctrl+C and termination while the block runs."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may listen to signals.
        yield stop
        return
    before = {n: signal.signal(n, stop.wish) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(events: Generator[Any, Command | None, Any], stop: Stop) -> Iterator[Any]:
    """Yield the events of a generator, and send it a stop when it is wished for."""
    try:
        event = next(events)
        while True:
            yield event
            event = events.send(Command.STOP if stop else None)
    except StopIteration:
        return
    finally:
        events.close()


def make_folder(folder: Path) -> None:
    """Make an output folder.

    Raises
    ------
    WriteError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise WriteError(f"{folder} is a file; choose another output folder.") from error
    except OSError as error:
        raise write_error(folder, error) from error


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Make an output folder before the work starts; one that gets nothing is taken away again."""
    is_new = not folder.exists()
    make_folder(folder)
    try:
        yield
    finally:
        if is_new:
            # It is not empty where all went well.
            with suppress(OSError):
                folder.rmdir()


def report_failures(failed: Sequence[Failure]) -> None:
    """List what went wrong, a line each, the name in front where the problem lacks it."""
    for name, problem in failed:
        warn(problem if name in problem else f"{name}: {problem}")
