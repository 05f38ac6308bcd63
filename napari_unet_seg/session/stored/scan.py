"""The record of a session's scan, and how the scan is opened again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import Config
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.read import channel_of
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import backup_name
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.images.photographs import lazy_stack
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.cases.case import Source


SESSION_FILE = "session.json"

_NEAREST: dict[str, tuple[str, ...]] = {
    "int64": ("int32", "uint32"),
    "uint64": ("uint32",),
    "float16": ("float32",),
    np.dtype(np.longdouble).name: ("float64",),
    "complex64": (),
    "complex128": (),
}
"""Types that TIFF cannot hold, with types that may hold the same numbers."""


class ScanRecord(Config):
    """The files of a scan, and its hash and grid at the start of the session."""

    paths: tuple[str, ...]
    """A file or folder, or an image file for each slice; relative if inside the session."""
    sha256: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    unit: str
    names: tuple[str, ...] = ()
    series: str = ""
    """Key of a DICOM series, since its folder may hold others."""
    sequence: str = ""
    """Name of the sequence, `FLAIR` for example; empty if it is not known."""
    channel: int | None = None
    """The channel of the file that is the scan; None for the whole file."""


def record_scan(scan: Scan, folder: Path, name: str = "", sequence: str = "") -> ScanRecord:
    """Return the record of a scan; a scan without a file is copied into the session.

    Parameters
    ----------
    scan : Scan
        The scan; `meta["paths"]` has the files of a stack of independent images.
    folder : Path
        Folder of the session, for the copy.
    name : str
        Name of the scan in the error message.
    sequence : str
        Name of the scan's sequence.

    Raises
    ------
    DataError
        If the scan has no file, and TIFF cannot hold its numbers.
    """
    dtype = scan.data.dtype
    paths = files_of(scan)
    if not paths:
        paths = [folder / "scan.tif"]
        array = _storable(np.asarray(scan.data), name)
        write_array(paths[0], array, axes=scan.axes, spacing=scan.spacing, unit=scan.unit)
        dtype = array.dtype
    record = describe(scan, paths, sequence)
    inside = tuple(_inside(p, folder) for p in paths)
    return record.model_copy(update={"paths": inside, "dtype": str(dtype)})


def files_of(scan: Scan, channel: int | None = None) -> list[Path]:
    """Return the files that a scan, or a channel of them, is read from; empty if there are none."""
    if channel is not None:
        return [] if scan.path is None else [scan.path.absolute()]
    paths = [Path(p).absolute() for p in scan.meta.get("paths", ())]
    if not paths and scan.path is not None and _same_grid(scan, scan.path):
        paths = [scan.path.absolute()]
    return paths


def describe(
    scan: Scan, paths: Sequence[Path], sequence: str = "", channel: int | None = None
) -> ScanRecord:
    """Return the record of a scan that is stored in some files."""
    return ScanRecord(
        paths=tuple(map(str, paths)),
        sha256=hash_of(paths),
        axes=scan.axes,
        shape=tuple(scan.data.shape),
        dtype=str(scan.data.dtype),
        spacing=tuple(float(s) for s in scan.spacing),
        unit=scan.unit,
        names=scan.names,
        series=_series(scan),
        sequence=sequence,
        channel=channel,
    )


def is_of(record: ScanRecord, source: Source) -> bool:
    """Whether a record is that of a source: of one of several stacks or series of a folder too."""
    if not {str(path) for path in source.files}.intersection(record.paths):
        return False
    return source.series is None or record.series in ("", source.series)


def open_scan(record: ScanRecord, folder: Path) -> Scan:
    """Open the scan of a session.

    Raises
    ------
    DataError
        If a file is missing or has changed since the session started.
    """
    stacked = len(record.paths) in (1, *record.shape[:1])
    if not record.paths or not 2 <= len(record.shape) == len(record.axes) <= 6 or not stacked:
        raise _damaged(record, folder)
    paths = [folder / p for p in record.paths]
    missing = [p for p in paths if not p.exists()]
    if missing:
        raise DataError(
            f"{missing[0]}, the scan of the session {folder.name}, is missing; restore it, or "
            "start a new session on the scan at its new path."
        )
    if hash_of(paths) != record.sha256:
        raise DataError(
            f"{paths[0]} changed since the session {folder.name} started, from {_grid(record)} to "
            f"{_grid_now(record, paths)}; restore the original file or start a new session."
        )
    scan = _read(record, paths)
    if scan.data.shape != record.shape:
        raise _damaged(record, folder)
    return replace(
        scan,
        axes=record.axes,
        spacing=record.spacing,
        unit=record.unit,
        names=record.names,
    )


def _storable(array: Array, name: str) -> Array:
    """Return the same numbers in a type that TIFF can hold."""
    for dtype in _NEAREST.get(array.dtype.name, (array.dtype.name,)):
        if _holds(np.dtype(dtype), array):
            return array.astype(dtype, copy=False)
    raise DataError(
        f"The image {name or 'of the session'} holds {array.dtype} numbers that a session cannot "
        "store as they are; convert it to float32, or to integers of 32 bits, and start again."
    )


def _holds(dtype: np.dtype[Any], array: Array) -> bool:
    if dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        return bool(limits.min <= array.min() and array.max() <= limits.max)
    if dtype == array.dtype or not array.size:
        return True
    with np.errstate(over="ignore"):
        return np.array_equal(array.astype(dtype), array, equal_nan=True)


def _damaged(record: ScanRecord, folder: Path) -> DataError:
    file = folder / SESSION_FILE
    return DataError(
        f"{file} is damaged, because its grid {_grid(record)[:200]} is not that of its scan; "
        f"replace it by {backup_name(file).name}, its previous version."
    )


def _read(record: ScanRecord, paths: Sequence[Path]) -> Scan:
    if len(paths) == 1:
        scan = read_scan(paths[0], record.series or None)
        if record.channel is not None:
            return channel_of(scan, record.channel)
        if scan.data.ndim == len(record.shape) or record.shape[0] != 1:
            return scan
    data = lazy_stack(paths, record.shape[1:], record.dtype)
    return Scan(data, record.axes, meta={"paths": tuple(paths)})


def _same_grid(scan: Scan, path: Path) -> bool:
    """Whether a file has the grid of a scan; napari's readers may read other axes."""
    try:
        found = read_scan(path, _series(scan) or None)
    except DataError:
        return False
    return (found.axes, tuple(found.data.shape)) == (scan.axes, tuple(scan.data.shape))


def _series(scan: Scan) -> str:
    return str(scan.meta.get("series", ""))


def _inside(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def hash_of(paths: Sequence[Path]) -> str:
    """Return the hash of the files of a scan, as `ScanRecord` stores it."""
    if len(paths) == 1:
        return sha256(paths[0])
    return hashlib.sha256("".join(sha256(p) for p in paths).encode()).hexdigest()


def _grid(scan: ScanRecord) -> str:
    return f"{scan.axes} {'×'.join(map(str, scan.shape))} ({scan.dtype})"


def _grid_now(record: ScanRecord, paths: Sequence[Path]) -> str:
    if len(paths) > 1:
        return f"{len(paths)} other images"
    try:
        scan = read_scan(paths[0], record.series or None)
    except DataError as error:
        return f"a file that cannot be read ({str(error).rstrip('.')})"
    return f"{scan.axes} {'×'.join(map(str, scan.data.shape))} ({scan.data.dtype}), other content"
