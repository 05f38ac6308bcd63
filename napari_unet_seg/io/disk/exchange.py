"""Two names of the file system that change places at once."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAG = 2
"""RENAME_EXCHANGE of Linux' renameat2, RENAME_SWAP of macOS' renamex_np."""
_HERE = -100
"""AT_FDCWD: paths are relative to the working folder."""


def exchange(one: Path, other: Path) -> bool:
    """Let two files or folders of one file system change names, so that neither is ever missing.

    Returns
    -------
    bool
        False, with nothing changed, where the system or the file system cannot do it.
    """
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "linux":
            return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _FLAG) == 0)
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _FLAG) == 0)
    except (OSError, AttributeError, TypeError):
        pass  # an old C library, or Windows, which has none of that kind
    return False
