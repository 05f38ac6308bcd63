"""Child processes of the engine that tests share, where they are not about processes."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from napari_unet_seg.process import engine_process

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable


_LOADING = 60
"""Seconds within which a network is loaded, on a busy machine."""


class ChildPool:
    """Keeps the children that one test has closed for the next one that starts the same.

    To import torch and to load the bundled model takes a child longer than most tests need it.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[Hashable, list[_SharedChild]] = defaultdict(list)

    @property
    def pids(self) -> set[int]:
        """Process ids of the children that nobody has."""
        return {child.process.pid for children in self._idle.values() for child in children}

    def take(self, threads: int, _niceness: int) -> _SharedChild:
        """Return an idle child that would start the same, else a new one.

        None of them steps back, as on a busy machine the tests would wait for minutes.
        """
        test = {"PYTEST_CURRENT_TEST": ""}
        start = threads, os.getcwd(), tuple(sorted({**os.environ, **test}.items()))
        while self._idle[start]:
            child = self._idle[start].pop()
            if child.process.poll() is None:
                return child
            child.end_now()
        return _SharedChild(threads, self._idle[start])

    def close(self) -> None:
        """End the children that nobody has."""
        for children in self._idle.values():
            while children:
                children.pop().end_now()


class _SharedChild(engine_process._Child):
    """Goes back to the idle ones instead of ending, unless it is cut off in a stream.

    A network that is being loaded is no reason to end: the next test would load it from the start.
    """

    def __init__(self, threads: int, idle: list[_SharedChild]) -> None:
        super().__init__(threads, 0)
        self._idle = idle
        self._kept = False
        self._streaming = self._warming = False
        self._free = threading.Event()

    def events(self, stream: int, start: Any) -> Generator[Any, Any, None]:
        self._streaming, self._warming = True, start[0].endswith("warm_up")
        self._free.clear()
        try:
            yield from super().events(stream, start)
        finally:
            self._streaming = self._warming = False
            self._free.set()

    def end(self) -> None:
        self._kept = self._warming or not self._streaming
        if self._warming:
            self._free.wait(_LOADING)
        if self._kept and self.process.poll() is None:
            self._idle.append(self)
        else:
            self.end_now()

    def release(self) -> None:
        if not self._kept:
            super().release()

    def end_now(self) -> None:
        self._kept = False
        busy = self._streaming
        super().end()
        if not busy:
            super().release()
