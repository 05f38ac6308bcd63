"""The folders below a root and the scan files in them, listed once for all layouts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.names import natural
from napari_unet_seg.io.dicom.signature import is_dicom, is_directory_file
from napari_unet_seg.io.find import scan_files
from napari_unet_seg.io.zarr.read import is_zarr

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


def list_tree(root: Path) -> Tree:
    """List the scan files below a root; hidden folders, sessions and runs are left out.

    Raises
    ------
    DataError
        If the root is no folder or cannot be read.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; choose a folder of scans.")
    folders: dict[Path, tuple[Path, ...]] = {}
    dicom: list[Path] = []
    for place, inside, names in os.walk(root, onerror=_unreadable):
        folder = Path(place)
        deep = len(folder.relative_to(root).parts) >= _DEPTH
        skipped = folder != root and any(name in names for name in _OURS)
        inside[:] = [] if deep or skipped else sorted(_searched(folder, inside), key=natural)
        if not skipped:
            scans = {path.name: path for path in scan_files(folder)}
            folders[folder] = tuple(scans[name] for name in sorted(scans, key=natural))
            others = (folder / name for name in sorted(names, key=natural) if name not in scans)
            dicom += [path for path in others if _is_dicom_image(path)]
    return Tree(root, folders, tuple(dicom))


def _searched(folder: Path, names: list[str]) -> list[str]:
    return [n for n in names if not n.startswith(".") and not is_zarr(folder / n)]


def _is_dicom_image(path: Path) -> bool:
    hidden = path.name.startswith(".") or is_directory_file(path) or not path.is_file()
    return not hidden and is_dicom(path)


def _unreadable(error: OSError) -> None:
    raise DataError(
        f"{error.filename} cannot be read ({error.strerror}); allow it, or choose another folder."
    ) from error
