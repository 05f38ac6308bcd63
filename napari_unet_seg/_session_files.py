"""What `session.json` holds, and how a session finds its scan again."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from napari_unet_seg.config import Category, Config
from napari_unet_seg.errors import ConfigError, DataError
from napari_unet_seg.io.files import atomic, backup_name, write_error
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.image import lazy_stack
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.scan import Scan
from napari_unet_seg.io.tiff import write_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = 1
NAME = "session.json"


class ReviewState(StrEnum):
    """What the reviewer decided about a slice."""

    TODO = "to do"
    ACCEPTED = "accepted"
    SKIPPED = "skipped"


class ScanRecord(Config):
    """Where the scan lies, and what it was when the session started."""

    paths: tuple[str, ...]
    """One file or folder, or one image file per slice; inside the session relative to it."""
    sha256: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    unit: str
    names: tuple[str, ...] = ()
    series: str = ""
    """Key of a DICOM series, since its folder may hold others."""


class Round(Config):
    """One fine-tuning: its model, and the Dice on the held-out slices before and after."""

    number: int
    checkpoint: str
    """The new model, relative to the session."""
    base: str
    """The model it started from."""
    before: float | None
    """None where nothing was held out, or the base model has other categories."""
    after: float | None
    train: int
    held_out: int
    epochs: int
    stopped: bool = False
    replayed: int = 0
    """Samples of the earlier data that were trained on again."""
    old_before: float | None = None
    """Dice on held-out samples of the earlier data; None where they were not at hand."""
    old_after: float | None = None
    old_held_out: int = 0


class SessionRecord(Config):
    """The content of `session.json`."""

    format: Literal[1] = 1
    version: str
    """Version of the package that started the session."""
    created: str
    scan: ScanRecord
    categories: tuple[Category, ...]
    checkpoint: str = ""
    """The model that made the prediction, empty where none is known."""
    checkpoint_sha256: str = ""
    states: tuple[ReviewState, ...]
    sides: dict[int, Literal["train", "valid"]] = Field(default_factory=dict)
    """Slices that a round has used; each stays on its side for good."""
    seed: int = 0
    rounds: tuple[Round, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)
    """What a front end needs to show the session again, the place in the world for example."""


def read_record(folder: Path) -> SessionRecord:
    """Read `session.json`.

    Raises
    ------
    DataError
        If there is none, or it is damaged or of a newer version.
    """
    path = folder / NAME
    if not path.is_file():
        raise DataError(f"{folder} holds no {NAME}; choose the folder of a session.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(values, dict) and int(values.get("format", FORMAT)) > FORMAT:
            raise DataError(f"{path} was written by a newer version; update napari-unet-seg.")
        return SessionRecord.parse(values, str(path))
    except (OSError, ValueError, TypeError, OverflowError, RecursionError, ConfigError) as error:
        reason = " ".join(str(error).replace(f"{path}: ", "").split())[:200].rstrip(".")
        raise DataError(
            f"{path} is damaged ({reason}); put {backup_name(path).name}, its version before, "
            "in its place."
        ) from error


def write_record(folder: Path, record: SessionRecord) -> None:
    """Write `session.json` whole or not at all, and keep the version before."""
    with atomic(folder / NAME, keep=True) as path:
        record.to_file(path)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder beside the wanted one, and give it its name once it is whole."""
    if (folder / NAME).is_file():
        raise DataError(f"{folder} holds a session already; open it or choose another folder.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is in use for other files; choose a new or empty folder.")
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def record_scan(scan: Scan, folder: Path) -> ScanRecord:
    """Describe a scan so that it can be opened again; one without a file is copied.

    Parameters
    ----------
    scan : Scan
        `meta["paths"]` names the files of a stack of independent images.
    folder : Path
        Of the session, for the copy.
    """
    paths = [Path(p).absolute() for p in scan.meta.get("paths", ())]
    if not paths and scan.path is not None and _same_grid(scan, scan.path):
        paths = [scan.path.absolute()]
    if not paths:
        paths = [folder / "scan.tif"]
        write_array(
            paths[0], np.asarray(scan.data), axes=scan.axes, spacing=scan.spacing, unit=scan.unit
        )
    return ScanRecord(
        paths=tuple(_inside(p, folder) for p in paths),
        sha256=_hash(paths),
        axes=scan.axes,
        shape=tuple(scan.data.shape),
        dtype=str(scan.data.dtype),
        spacing=tuple(float(s) for s in scan.spacing),
        unit=scan.unit,
        names=scan.names,
        series=_series(scan),
    )


def open_scan(record: ScanRecord, folder: Path) -> Scan:
    """Open the scan of a session.

    Raises
    ------
    DataError
        If a file is missing, or is not what it was when the session started.
    """
    stacked = len(record.paths) in (1, *record.shape[:1])
    if not record.paths or not 2 <= len(record.shape) == len(record.axes) <= 6 or not stacked:
        raise _damaged(record, folder)
    paths = [folder / p for p in record.paths]
    missing = [p for p in paths if not p.exists()]
    if missing:
        raise DataError(
            f"{missing[0]}, the scan of the session {folder.name}, is not there; put it back, or "
            "start a new session on the scan where it lies now."
        )
    if _hash(paths) != record.sha256:
        raise DataError(
            f"{paths[0]} changed since the session {folder.name} started, from {_grid(record)} to "
            f"{_grid_now(record, paths)}; put the earlier file back or start a new session."
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


def _damaged(record: ScanRecord, folder: Path) -> DataError:
    file = folder / NAME
    return DataError(
        f"{file} is damaged, since its grid {_grid(record)[:200]} is not that of its scan; put "
        f"{backup_name(file).name}, its version before, in its place."
    )


def _read(record: ScanRecord, paths: Sequence[Path]) -> Scan:
    if len(paths) == 1:
        scan = read_scan(paths[0], record.series or None)
        if scan.data.ndim == len(record.shape) or record.shape[0] != 1:
            return scan
    data = lazy_stack(paths, record.shape[1:], record.dtype)
    return Scan(data, record.axes, meta={"paths": tuple(paths)})


def _same_grid(scan: Scan, path: Path) -> bool:
    """Whether the file gives this scan again; napari's readers may cut it in another way."""
    try:
        found = read_scan(path, _series(scan) or None)
    except DataError:
        return False
    return (found.axes, tuple(found.data.shape)) == (scan.axes, tuple(scan.data.shape))


def _series(scan: Scan) -> str:
    return str(scan.meta.get("series", ""))


def _inside(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _hash(paths: Sequence[Path]) -> str:
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
