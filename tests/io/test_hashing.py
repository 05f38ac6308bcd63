from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.hashing import sha256_once

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_read_again_only_once_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"one")
    known, then = sha256_once(path), path.stat()
    assert known == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"two")
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert sha256_once(path) == known  # as its state says, it is the same
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns + 1))
    assert sha256_once(path) == hashlib.sha256(b"two").hexdigest()


def test_a_file_that_took_the_place_of_another_is_read(tmp_path: Path) -> None:
    path, other = tmp_path / "model", tmp_path / "new"
    path.write_bytes(b"one")
    then = path.stat()
    sha256_once(path)
    other.write_bytes(b"two")
    os.utime(other, ns=(then.st_atime_ns, then.st_mtime_ns))
    other.replace(path)
    assert sha256_once(path) == hashlib.sha256(b"two").hexdigest()


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="model"):
        sha256_once(tmp_path / "model")
