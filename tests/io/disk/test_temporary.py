"""Temporary files: marked while they are written, removed when their process was killed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk import files
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.io.disk.temporary import (
    in_use,
    is_in_use,
    remove_litter,
    temporary_path,
)
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

WRITE = """
import os, signal, sys
from napari_unet_seg.io.disk.files import atomic, atomic_folder
with atomic(sys.argv[1]) as file, atomic_folder(sys.argv[2]) as folder:
    file.write_text("half")
    (folder / "chunk").write_text("half")
    sys.stdout.write("writing\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_process_was_writing_is_removed_and_what_a_live_one_writes_stays(tmp_path):
    (tmp_path / "mask.tif").write_text("old")
    command = [sys.executable, "-c", WRITE, str(tmp_path / "mask.tif"), str(tmp_path / "m.zarr")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        before = names(tmp_path)
        remove_litter(tmp_path)
        assert names(tmp_path) == before
        assert len(before) == 3
        process.kill()
        process.wait()
        remove_litter(tmp_path)
        assert names(tmp_path) == {"mask.tif"}
        assert (tmp_path / "mask.tif").read_text() == "old"


def test_only_what_is_certainly_ours_is_removed(tmp_path):
    foreign = {".1a2b3c4d.tif", ".hidden", "mask.tif", "mask.bak.tif", ".1a2b3c4d.mask.tif"}
    for name in foreign:
        (tmp_path / name).touch()
    (tmp_path / "elsewhere").mkdir()
    link = temporary_path(tmp_path / "link.tif")
    link.symlink_to(tmp_path / "elsewhere")
    temporary_path(tmp_path / "mask.tif").touch()
    remove_litter(tmp_path)
    assert names(tmp_path) == {*foreign, "elsewhere", link.name}


def test_of_one_file_only_its_own_are_removed(tmp_path):
    for name in ("a.tif", "b.tif"):
        temporary_path(tmp_path / name).touch()
    remove_litter(tmp_path, of="a.tif")
    assert [name.rpartition(".unet-seg.")[2] for name in names(tmp_path)] == ["b.tif"]


def test_a_mark_ends_with_its_block(tmp_path):
    with in_use(tmp_path / "run", folder=True):
        assert is_in_use(tmp_path / "run")
    assert not is_in_use(tmp_path / "run")


@pytest.mark.parametrize("name", ["mask.tif", "mask.nii.gz", "mask.nii"])
def test_a_file_stays_marked_whatever_library_writes_it(tmp_path, monkeypatch, name):
    """A library that replaced the file by its own would leave the mark on nothing."""
    marked = []
    flush = files._flush

    def look(path: Path) -> None:
        marked.append(is_in_use(path))
        flush(path)

    monkeypatch.setattr(files, "_flush", look)
    labels = np.ones((2, 3, 4), np.uint8)
    write_mask(tmp_path / name, labels, Scan(labels, "ZYX"))
    assert set(marked) == {True}


def test_a_folder_that_cannot_be_read_is_left(tmp_path):
    remove_litter(tmp_path / "missing")
    with atomic(tmp_path / "file") as path:
        path.write_text("")
        remove_litter(tmp_path / "file")
    assert names(tmp_path) == {"file"}
