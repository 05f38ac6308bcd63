"""The engine in a child process, so that no import and no step of torch blocks the window.

Parent and child communicate through the child's standard input and output. The child ends at the
end of its input, so that it never outlives its parent, even if the parent is killed.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Self, cast

from napari_unet_seg import log
from napari_unet_seg.errors import EngineError, SegmentationError
from napari_unet_seg.process.child import GRACE, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_unet_seg.events import Command

KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": str(64 << 20),
}
"""Makes glibc keep freed activations; page faults would otherwise cost a fifth of the time."""


class EngineProcess:
    """A child process that runs generators of events, one after another.

    The process starts with the first stream and stays alive, so that a network is loaded once.

    Parameters
    ----------
    threads : int
        Number of OpenMP threads; 0 takes OpenMP's default.
    niceness : int
        Niceness added to the child process, 0 to 19; a nice process leaves the CPU to the window.
    """

    def __init__(self, *, threads: int = 0, niceness: int = 0) -> None:
        self.threads = threads
        self.niceness = niceness
        self._child: _Child | None = None
        self._running = threading.Lock()
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether a stream is running."""
        return self._running.locked()

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._child.process.pid if self._child else None

    def stream(
        self, function: str | Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Generator[Any, Command | None, None]:
        """Run a generator function in the child and yield its events here.

        Parameters
        ----------
        function : str or callable
            A generator function: `"module:name"`, which is not imported in this process, or a
            function of a module.
        *args, **kwargs
            Arguments of the function; they are pickled.

        Raises
        ------
        SegmentationError
            If the function raises it.
        EngineError
            If the function raises another error, whose traceback is in the notes, or if the child
            process ends or is busy.
        """
        if not isinstance(function, str):
            function = f"{function.__module__}:{function.__qualname__}"
        if not self._running.acquire(blocking=False):
            raise EngineError(
                "The engine is still busy; wait until it has finished, or stop it first."
            )
        child = None
        try:
            child = self._ready_child()
            self._count += 1
            yield from child.events(self._count, (function, args, kwargs))
        finally:
            self._running.release()
            if child is not None and self._child is not child:
                child.release()

    def close(self) -> None:
        """End the child process; a stream that another thread pulls ends without an error."""
        child, self._child = self._child, None
        _OPEN.discard(self)
        if child is not None:
            child.end()
            if not self.busy:
                child.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready_child(self) -> _Child:
        if self._child is not None and self._child.process.poll() is not None:
            self._child.release()
            self._child = None
        if self._child is None:
            self._child = _Child(self.threads, self.niceness)
            _OPEN.add(self)
        return self._child


class _Child:
    """The child process, with one stream of events at a time."""

    def __init__(self, threads: int, niceness: int) -> None:
        self.ending = False
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "napari_unet_seg.process.child", str(niceness)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                pipesize=1 << 20,
                env=_environment(threads),
                # Ctrl+C in the terminal is for the parent, which stops its streams.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self.errors.close()
            raise EngineError(
                f"The engine's process cannot be started with {sys.executable} ({error}); check "
                "the Python installation and the free memory."
            ) from error

    def events(self, stream: int, start: Any) -> Generator[Any, Command | None, None]:
        """Start one generator in the child and yield its events."""
        self._send("start", stream, start)
        ended = False
        try:
            while (event := self._receive()) is not None:
                command = yield event[0]
                self._send("pull", stream, command)
            ended = True
        except SegmentationError:
            ended = True
            raise
        finally:
            if not ended:
                self._interrupt(stream)

    def end(self) -> None:
        """End the process at its next event, or kill it if that does not come in time."""
        self.ending = True
        with suppress(OSError):
            cast("IO[bytes]", self.process.stdin).close()
        try:
            self.process.wait(2 * GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def release(self) -> None:
        """Close the pipes, once no thread reads from them."""
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            with suppress(OSError):
                cast("IO[bytes]", pipe).close()

    def _send(self, kind: str, stream: int, content: Any) -> None:
        try:
            write(cast("IO[bytes]", self.process.stdin), (kind, stream, content))
        except (OSError, ValueError) as error:
            if not self.ending:
                raise self._died() from error

    def _receive(self) -> tuple[Any] | None:
        try:
            kind, _, content = read(cast("IO[bytes]", self.process.stdout))
        except (EOFError, OSError, ValueError) as error:
            if self.ending:
                return None
            raise self._died() from error
        if kind == "failed":
            cause, trace = content
            if trace:
                cause.add_note(trace)
            raise cause
        return (content,) if kind == "event" else None

    def _interrupt(self, stream: int) -> None:
        """End the generator at its next event, or kill the process if that is late."""
        if self.ending:
            return
        timer = threading.Timer(2 * GRACE, self.process.kill)
        timer.start()
        with suppress(SegmentationError):
            self._send("close", stream, None)
            while self._receive() is not None:
                pass
        timer.cancel()

    def _died(self) -> EngineError:
        error = EngineError(
            f"The engine's process ended unexpectedly (exit code {self.process.wait()}), perhaps "
            "because memory ran out; try again with a smaller batch or image size."
        )
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 4000))
        said = self.errors.read().decode(errors="replace")
        error.add_note(said)
        log.logger.error("%s\n%s", error, said)
        return error


def _environment(threads: int) -> dict[str, str]:
    # With the parent's search path the child imports the same modules as the parent.
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, **engine_variables(threads)}


def engine_variables(threads: int) -> dict[str, str]:
    """Return the environment variables of a process that runs the network.

    Parameters
    ----------
    threads : int
        Number of OpenMP threads; 0 takes OpenMP's default.
    """
    variables = {}
    if sys.platform == "linux":
        variables = {name: os.environ.get(name, value) for name, value in KEEP_MEMORY.items()}
    if threads:
        variables |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    return variables


_OPEN: weakref.WeakSet[EngineProcess] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """End every open child process."""
    for process in list(_OPEN):
        process.close()
