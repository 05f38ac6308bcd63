"""Folders as a user sees them who may not read all of them, also where root runs the tests."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY = 65534


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that other users may read; pytest's own folders are closed to them."""
    if not hasattr(os, "seteuid"):
        pytest.skip("this system has no permissions that a test can take away")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_other_user() -> Iterator[None]:
    """Give up the rights of root, who may read everything, for as long as the block runs."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
