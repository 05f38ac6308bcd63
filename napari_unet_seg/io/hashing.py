"""Hashes that identify scans and checkpoints."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.io.dicom.signature import dicom_files, dicom_files_below
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.disk.seen import file_digest
from napari_unet_seg.io.images.slice_stacks import stacks_in
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, or of the names and contents of the files in a folder.

    What else lies in the folder does not count, masks saved into it above all: in the folder of a
    series only its DICOM files do, DICOM SEG left out; beside a stack its slices; in an OME-Zarr
    all but the labels.
    """
    path = Path(path)
    with reading(path, "a file"):
        if not path.is_dir():
            return file_digest(path)
        total = hashlib.sha256()
        for name, child in sorted(_own_files(path)):
            total.update(f"{name}\0{sha256(child)}\0".encode())
        return total.hexdigest()


def sha256_once(path: Path) -> str:
    """Return the SHA-256 of a file, cached by its path, size and modification time."""
    with reading(path, "a file"):
        state = path.stat()
    return _sha256_of(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=32)
def _sha256_of(path: Path, *_state: int) -> str:
    return sha256(path)


def _own_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the names and files of a folder; of subfolders in a Zarr, and where DICOM is below."""
    from napari_unet_seg.io.dicom.seg_read import is_seg

    if is_zarr(folder):
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not name.startswith(("labels/", ".zmetadata")):
                yield name, path
        return
    if stacks := stacks_in(folder):
        yield from ((path.name, path) for files in stacks.values() for path in files)
        return
    for path in dicom_files(folder) or dicom_files_below(folder) or folder.iterdir():
        if path.is_file() and not (path.suffix.lower() == ".dcm" and is_seg(path)):
            yield path.relative_to(folder).as_posix(), path
