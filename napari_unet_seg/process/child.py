"""The child process of `engine_process`: run as `python -m napari_unet_seg.process.child`.

Messages are pickled tuples `(kind, stream number, content)`. To the child: `start`, `pull` with a
command or None, `close`. To the parent: `event`, `end`, `failed` with the error and its traceback.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import queue
import struct
import sys
import threading
import traceback
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.errors import EngineError, SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Message = tuple[str, int, Any]

AHEAD = 2
"""Number of events that the child sends before they are pulled; without pulls the child pauses."""
GRACE = 3.0
"""Time in seconds for the child to reach its next event after its parent has ended."""
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def write(pipe: IO[bytes], message: Message) -> None:
    """Send a message; contiguous arrays are sent without a copy."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    pipe.write(struct.pack("<QQ", len(head), len(views)))
    pipe.write(struct.pack(f"<{len(views)}Q", *(view.nbytes for view in views)))
    pipe.write(head)
    for view in views:
        pipe.write(view)
    pipe.flush()


def read(pipe: IO[bytes]) -> Message:
    """Receive a message.

    Raises
    ------
    EOFError
        If the other process has ended.
    """
    length, count = struct.unpack("<QQ", _read_bytes(pipe, 16))
    sizes = struct.unpack(f"<{count}Q", _read_bytes(pipe, 8 * count))
    head = _read_bytes(pipe, length)
    buffers = [_read_bytes(pipe, size) for size in sizes]
    return cast("Message", pickle.loads(head, buffers=buffers))


def _read_bytes(pipe: IO[bytes], size: int) -> memoryview:
    # np.empty, since creating a bytearray fills it with zeros while it holds the interpreter lock.
    view = memoryview(cast("Any", np.empty(size, np.uint8)))
    if size and cast("Any", pipe).readinto(view) != size:
        raise EOFError
    return view


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Run the streams that are requested on `source`, until `source` ends."""
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source, inbox), daemon=True).start()
    while (message := inbox.get())[0] != "gone":
        kind, stream, content = message
        if kind == "start":
            _answer(stream, content, inbox, sink)
            _return_memory()


def _listen(source: IO[bytes], inbox: queue.SimpleQueue[Message]) -> None:
    """Pass messages to the inbox; when the parent has ended, end the process after `GRACE`."""
    with suppress(EOFError, OSError):
        while True:
            inbox.put(read(source))
    inbox.put(("gone", 0, None))
    threading.Event().wait(GRACE)
    os._exit(1)


def _answer(stream: int, content: Any, inbox: queue.SimpleQueue[Message], sink: IO[bytes]) -> None:
    function, args, kwargs = content
    try:
        _run(_load(function)(*args, **kwargs), stream, inbox, sink)
        last: Message = ("end", stream, None)
    except SegmentationError as error:
        last = ("failed", stream, (error, ""))
    except Exception as error:  # the parent reports every error
        last = ("failed", stream, (_explain(error), traceback.format_exc()))
    with suppress(BrokenPipeError):
        write(sink, last)


def _load(function: str) -> Callable[..., Generator[Any, Any, None]]:
    module, _, name = function.partition(":")
    return cast("Callable[..., Any]", getattr(importlib.import_module(module), name))


def _run(
    generator: Generator[Any, Any, None],
    stream: int,
    inbox: queue.SimpleQueue[Message],
    sink: IO[bytes],
) -> None:
    credit, command = AHEAD, None
    while True:
        while credit == 0 or not inbox.empty():
            kind, number, content = inbox.get()
            if kind == "gone" or (kind == "close" and number == stream):
                generator.close()
                inbox.put((kind, 0, None))
                return
            if number == stream:
                credit, command = credit + 1, content or command
        try:
            event = generator.send(command)
        except StopIteration:
            return
        credit, command = credit - 1, None
        write(sink, ("event", stream, event))


def _explain(error: Exception) -> EngineError:
    text = str(error) or type(error).__name__
    # The name of torch's class on every device; comparing names avoids an import of torch.
    if (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(part in text for part in _OUT_OF_MEMORY)
    ):
        log.logger.error("The network ran out of memory", exc_info=error)
        first = text.splitlines()[0].rstrip(".")
        return EngineError(
            f"The network ran out of memory ({first}); choose a smaller batch or image size."
        )
    return EngineError(log.problem(error, "The engine"))


def _return_memory() -> None:
    """Return the memory that glibc keeps, since the process may be idle for a long time."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Serve the parent on standard input and output; printed text goes to standard error."""
    log.start()
    if hasattr(os, "nice"):
        os.nice(int(sys.argv[1]))
    sink = os.fdopen(os.dup(1), "wb")
    source = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    serve(source, sink)


if __name__ == "__main__":
    main()
