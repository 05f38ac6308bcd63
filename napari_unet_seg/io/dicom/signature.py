"""Recognition of DICOM files by their first bytes, and search for them in folders.

pydicom is not imported, so that many files can be examined quickly.
"""

from __future__ import annotations

import os
import struct
from itertools import islice
from typing import TYPE_CHECKING

from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.disk.listing import entries, files_below

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".dcm", ".dicom", ".ima")

_PREAMBLE = 128
_FIRST_GROUPS = (0x0002, 0x0008)
"""Groups that a data set without preamble starts with: of the file, and of its identification."""
_LAST_ELEMENT = 0x0100
_LONGEST = 256
"""Largest length in bytes of the value of a first element."""
_RESOURCE_FORK = b"\x00\x05\x16\x07"
"""First bytes of the `._` files in which macOS keeps attributes on foreign disks."""
_DIRECTORY = "DICOMDIR"


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its preamble, by its first element, or by its suffix.

    Files that scanners write without a preamble (PS3.10 7.1) start with an element of a low group.
    """
    with reading(path, "a file"), path.open("rb") as file:
        start = file.read(_PREAMBLE + 4)
    if start[_PREAMBLE:] == b"DICM":
        return True
    if start.startswith(_RESOURCE_FORK):
        return False
    return path.suffix.lower() in SUFFIXES or _starts_with_element(start)


def is_directory_file(path: Path) -> bool:
    """Whether a file is the directory of a disk, which lists its images (PS3.10 8.6)."""
    return path.name.upper() == _DIRECTORY and os.path.isfile(path)


def dicom_files(folder: Path) -> list[Path]:
    """List the DICOM files in a folder, sorted, without hidden files and directories of disks."""
    return [p for p in entries(folder) if _is_candidate(p) and is_dicom(p)]


def dicom_files_below(folder: Path) -> list[Path]:
    """List the DICOM files in a folder and in all folders below it, as `dicom_files`."""
    return [p for p in sorted(files_below(folder)) if _is_candidate(p) and is_dicom(p)]


def holds_dicom(folder: Path, *, below: bool = True, most: int | None = None) -> bool:
    """Whether a folder holds DICOM, or a folder below it; at most `most` files are examined."""
    files = filter(_is_candidate, files_below(folder) if below else entries(folder))
    return any(is_dicom(p) for p in islice(files, most))


def _is_candidate(path: Path) -> bool:
    return os.path.isfile(path) and not is_directory_file(path)


def _starts_with_element(start: bytes) -> bool:
    """Whether bytes are a first element, of explicit or implicit value representation."""
    if len(start) < _PREAMBLE + 4:
        return False
    return any(_is_element(start, order) for order in "<>")


def _is_element(start: bytes, order: str) -> bool:
    group, element = struct.unpack_from(f"{order}2H", start)
    if group not in _FIRST_GROUPS or element > _LAST_ELEMENT:
        return False
    if start[4:6].isalpha() and start[4:6].isupper():
        return int(struct.unpack_from(f"{order}H", start, 6)[0]) <= _LONGEST
    return 0 < int(struct.unpack_from(f"{order}I", start, 4)[0]) <= _LONGEST
