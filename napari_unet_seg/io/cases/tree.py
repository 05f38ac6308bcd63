"""The folders below a root and the scan files in them, listed once for all layouts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import LeftOut
from napari_unet_seg.io.common.names import natural
from napari_unet_seg.io.dicom.signature import is_dicom, is_directory_file
from napari_unet_seg.io.disk.listing import entries
from napari_unet_seg.io.find import is_scan
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

_DEPTH = 6
"""Folders below the root that are searched: BIDS derivatives lie five deep."""
_OURS = ("session.json", "history.csv")
"""Files of sessions and runs, whose folders hold masks and previews but no scans."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The scan files below a root, by folder."""

    root: Path
    folders: dict[Path, tuple[Path, ...]]
    """Scan files and OME-Zarr folders in natural order by folder, the root first."""
    dicom: tuple[Path, ...] = ()
    """DICOM files in natural order, folder by folder."""
    unreadable: tuple[LeftOut, ...] = ()
    """Folders and files that cannot be read."""

    @property
    def files(self) -> list[Path]:
        """All scan files, folder by folder."""
        return [path for files in self.folders.values() for path in files]

    def in_folder(self, name: str) -> tuple[Path, ...]:
        """Return the scan files in a folder below the root; empty if there is none."""
        return self.folders.get(self.root / name, ())

    def relative(self, path: Path) -> str:
        """Return a path from the root, with slashes."""
        return path.relative_to(self.root).as_posix()


def list_tree(root: Path) -> Generator[Path, Any, Tree]:
    """List the scan files below a root; hidden folders, sessions and runs are left out.

    Yields
    ------
    Path
        Each file and folder that was looked at.

    Raises
    ------
    DataError
        If the root is no folder or cannot be read.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; choose a folder of scans.")
    folders: dict[Path, tuple[Path, ...]] = {}
    dicom: list[Path] = []
    unreadable: list[LeftOut] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            found = sorted(entries(folder), key=lambda path: natural(path.name))
        except DataError as error:
            if folder == root:
                raise
            unreadable.append(_unreadable(folder, error))
            continue
        if folder != root and any(path.name in _OURS for path in found):
            continue
        waiting += reversed(_searched(root, found))
        scans = []
        for path in found:
            yield path
            if is_scan(path):
                scans.append(path)
                continue
            try:
                dicom += [path] * _is_dicom_image(path)
            except DataError as error:
                unreadable.append(_unreadable(path, error))
        folders[folder] = tuple(scans)
    return Tree(root, folders, tuple(dicom), tuple(unreadable))


def _searched(root: Path, found: Sequence[Path]) -> list[Path]:
    """Return the folders that are listed too; links might lead in a circle."""
    if not found or len(found[0].relative_to(root).parts) > _DEPTH:
        return []
    return [p for p in found if os.path.isdir(p) and not p.is_symlink() and not is_zarr(p)]


def _is_dicom_image(path: Path) -> bool:
    return os.path.isfile(path) and not is_directory_file(path) and is_dicom(path)


def _unreadable(path: Path, error: DataError) -> LeftOut:
    return LeftOut(path, str(error), is_problem=True)
