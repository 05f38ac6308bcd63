"""Runs scripts that open a window, each in a fork of this process, which has imported napari.

python script_forks.py: each line of its input is the arguments of a script and the file that takes
what it prints, as JSON; each line of its output is the exit status of the script.
"""

from __future__ import annotations

import json
import os
import runpy
import sys

import napari.window

import napari_unet_seg._napari.dock.widget

__all__ = ["napari", "napari_unet_seg"]


def forked() -> list[str]:
    """Fork for each line; return the arguments in the fork, and never where it is forked from."""
    for line in sys.stdin:
        arguments, printed = json.loads(line)
        if (child := os.fork()) == 0:
            output = os.open(printed, os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            os.dup2(output, 2)
            return list(arguments)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
    raise SystemExit


if __name__ == "__main__":
    first, *others = forked()
    if first == "-m":
        sys.argv = others
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *others]
        sys.path.insert(0, os.path.dirname(first))
        runpy.run_path(first, run_name="__main__")
