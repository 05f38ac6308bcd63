"""Ctrl+C at any time: one line, exit code 130, no trace."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRESSED_IN_AN_IMPORT = """
import os, signal, sys

class CtrlC:
    name = sys.argv.pop(1)

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
from napari_unet_seg.cli import main
sys.exit(main())
"""

PRESSED_TWICE = """
import atexit, os, signal, sys

def press(*_):
    os.kill(os.getpid(), signal.SIGINT)

atexit.register(press)
from napari_unet_seg.cli import main
from napari_unet_seg.evaluation import mask_sources
mask_sources.open_masks = press
sys.exit(main())
"""

EVALUATE = ("evaluate", "--pred", "masks", "--truth", "masks")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT on Windows")


def ended(code: str, *arguments: str) -> tuple[int, str]:
    """Run the program in a process of its own; return its exit code and its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "napari_unet_seg.cli._app",  # the first import of the program
        "numpy._core._multiarray_umath",  # C code, which turns the exception into another
        "typer.main",
        "napari_unet_seg.evaluation.evaluate",  # while the command runs
    ],
)
def test_while_modules_are_imported(module):
    assert ended(PRESSED_IN_AN_IMPORT, module, *EVALUATE) == (130, "Stopped.\n")


def test_while_a_command_runs_and_again_while_the_process_ends():
    assert ended(PRESSED_TWICE, "export", "masks", "--out", "coco.json") == (130, "Stopped.\n")
