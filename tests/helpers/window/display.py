"""A display of Xvfb."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SCREEN = ("-screen", "0", "1920x1080x24", "+extension", "GLX", "-nolisten", "tcp")


def own_display() -> Callable[[], None]:
    """Start a server on a free display, make it this process's, and return what ends it."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), *_SCREEN],
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    if not number:
        raise OSError("Xvfb could not be started.")
    os.environ["DISPLAY"] = f":{number}"
    os.environ.pop("XAUTHORITY", None)

    def end() -> None:
        server.terminate()
        server.wait()

    return end
