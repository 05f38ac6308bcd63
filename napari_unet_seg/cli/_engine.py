"""The engine process of the program, and its events until Ctrl+C."""

from __future__ import annotations

import functools
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_unet_seg.cli._interrupt import interrupt, say
from napari_unet_seg.events import Command
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType


@functools.cache
def engine() -> EngineProcess:
    """Return the process that runs the network; the process ends with the program.

    Environment variables that keep freed memory must be set before a process starts. A crash of the
    child process, or its end for lack of memory, becomes a message.
    """
    return EngineProcess()


class Stop:
    """Request to stop at the next event, by Ctrl+C or a termination signal.

    A second signal ends the program at once.
    """

    def __init__(self) -> None:
        self.signal = 0

    def __bool__(self) -> bool:
        return bool(self.signal)

    @property
    def exit_code(self) -> int:
        """Exit code by the convention of shells: 130 after Ctrl+C, 143 after termination."""
        return 128 + self.signal

    def request(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.signal:
            interrupt(number, frame)
        self.signal = int(number)
        say("Stopping after this step; press Ctrl+C again to end at once.")


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Catch Ctrl+C and termination while the block runs."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        # Python allows signal handlers in the main thread only.
        yield stop
        return
    before = {n: signal.signal(n, stop.request) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(events: Generator[Any, Command | None, Any], stop: Stop) -> Iterator[Any]:
    """Yield the events of a generator; send `Command.STOP` to it once a stop is requested."""
    try:
        event = next(events)
        while True:
            yield event
            event = events.send(Command.STOP if stop else None)
    except StopIteration:
        return
    finally:
        events.close()
