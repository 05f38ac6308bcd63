"""Atomic writing of files and folders, and messages for errors of the file system."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, BinaryIO, cast

from napari_unet_seg.errors import DataError, SegmentationError, WriteError
from napari_unet_seg.io.disk.exchange import exchange
from napari_unet_seg.io.disk.seen import check_seen, saw
from napari_unet_seg.io.disk.temporary import in_use, temporary_path

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUP = ".bak"
"""Part of the name of a file's previous version: `mask.bak.tif`."""

_ALWAYS = 2**24
_MOST_COMPRESSED = 3000
_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and save again",
    errno.EDQUOT: "your disk quota is used up; free some space and save again",
    errno.EACCES: "there is no permission to write there; choose another folder",
    errno.EPERM: "there is no permission to write there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOENT: "its folder does not exist; create it or choose another one",
    errno.ENOTDIR: "its folder is a file; choose another folder",
    errno.EISDIR: "a folder has this name; choose another name",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EFBIG: "the disk takes no file of this size; choose another disk",
}


@contextmanager
def atomic(path: Path | str, *, keep: bool = False) -> Iterator[Path]:
    """Write a file atomically: whole or not at all.

    The block writes to the temporary path it is given, in the same folder and with the same suffix.
    At the end of the block the temporary file is flushed to disk and replaces the old file. After
    an error the old file is unchanged, and the temporary file is removed.

    Parameters
    ----------
    path : Path
        File to write; for a symbolic link its target is written.
    keep : bool
        Whether to keep the previous file, see `keep_previous`. Such a file is the user's work: it
        is not replaced if another program has changed it since it was seen, see `seen`.

    Raises
    ------
    WriteError
        If the file system refuses to write, for example on a full disk.
    ChangedError
        If another program has changed the file.
    """
    target = Path(os.path.realpath(path))
    temporary = temporary_path(target)
    try:
        with in_use(temporary):
            yield temporary
            _flush(temporary)
            if keep and target.is_file():
                check_seen(path)
                keep_previous(target)
            os.replace(temporary, target)
        _flush_folder(target.parent)
        if keep:
            saw(target)
    except OSError as error:
        _discard(temporary)
        if error.filename in (None, str(temporary), str(target), str(target.parent)):
            raise write_error(path, error) from error
        raise
    except BaseException:
        _discard(temporary)
        raise


@contextmanager
def atomic_folder(path: Path | str, *, keep: bool = False) -> Iterator[Path]:
    """Write a folder whole or not at all, as `atomic` writes files.

    The block gets an empty folder, to be filled. The previous folder is kept
    as `name.bak.suffix`, or removed. Where the system cannot exchange two names at once, for a
    moment no folder has the name.

    Raises
    ------
    WriteError
        If the file system refuses to write, for example on a full disk.
    ChangedError
        If the previous folder is to be kept and another program has changed it.
    """
    target = Path(os.path.realpath(path))
    temporary = temporary_path(target)
    try:
        with in_use(temporary, folder=True):
            yield temporary
        if keep:
            check_seen(path)
        if not target.exists():
            os.replace(temporary, target)
        else:
            # The previous folder never has a name under which it would be removed as litter.
            new = _move_to_backup(temporary, target) if keep else temporary
            if not exchange(new, target):
                _exchange_in_steps(new, target)
        _flush_folder(target.parent)
        if keep:
            saw(target)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def within(root: Path, path: Path) -> Path:
    """Return the path of a file or folder to write, unless a link leads it out of its folder.

    A session, run or data set of somebody else may hold links to files of this user, which a write
    would replace. The folder itself may be reached by a link, and links inside it are followed.

    Parameters
    ----------
    root : Path
        Folder of the session, run or data set.
    path : Path
        File or folder in it, which need not exist.

    Raises
    ------
    WriteError
        If the path leads out of the folder.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)):
        raise WriteError(
            f"{path} leads by a link to {real}, out of {root}, where nothing is written; remove "
            "the link."
        )
    return path


def can_hold(size: int, pixels: int) -> bool:
    """Whether a compressed file of `size` bytes can hold `pixels` bytes of pixels.

    The check avoids allocating memory for a size that a damaged header claims. Deflate and LZW do
    not reach the limit; up to 16 MiB any compression is accepted.
    """
    return pixels <= max(_ALWAYS, size * _MOST_COMPRESSED)


def write_error(path: Path | str, error: OSError) -> WriteError:
    """Return the error to raise when `path` could not be written."""
    remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror or error}; choose another folder")
    return WriteError(f"{path} cannot be written: {remedy}.")


def keep_previous(path: Path | str) -> Path | None:
    """Keep the file at `path` under a second name, `name.bak.suffix`.

    Returns
    -------
    Path or None
        The second name; None if there is no file at `path`.
    """
    path = Path(path)
    if not path.is_file():
        return None
    previous = backup_name(path)
    temporary = temporary_path(path)
    try:
        _link_or_copy(path, temporary)
        os.replace(temporary, previous)
    except OSError as error:
        _discard(temporary)
        raise write_error(previous, error) from error
    return previous


def backup_name(path: Path) -> Path:
    """Return the name of the previous version of a file."""
    stem, suffix = split_suffix(path)
    return path.with_name(f"{stem}{BACKUP}{suffix}")


def is_backup(path: Path) -> bool:
    """Whether a file is the previous version of another file."""
    return split_suffix(path)[0].endswith(BACKUP)


def split_suffix(path: PurePath) -> tuple[str, str]:
    """Split a name in two; `.nii.gz`, `.ome.tif` and `.ome.zarr` are one suffix."""
    name, suffix = path.name[: len(path.name) - len(path.suffix)], path.suffix
    stem, inner = os.path.splitext(name)
    if (inner + suffix).lower() in (".nii.gz", ".ome.tif", ".ome.tiff", ".ome.zarr"):
        return stem, inner + suffix
    return name, suffix


@contextmanager
def mapped(path: Path) -> Iterator[BinaryIO]:
    """Map a file into memory, so that reads beyond its end allocate no memory.

    From an ordinary file pydicom and Pillow read the number of bytes that a damaged header claims,
    and allocate memory for all of them.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        yield cast("BinaryIO", whole)


@contextmanager
def reading(path: Path | str, kind: str) -> Iterator[None]:
    """Convert every error of a parser into a DataError that names the file and the remedy.

    The libraries that read files raise errors of many classes for damaged files.

    Parameters
    ----------
    path : Path or str
        The file, for the message.
    kind : str
        Name of the format, for the message.

    Raises
    ------
    DataError
        For any error other than a SegmentationError in the block.
    """
    try:
        check_is_stored(path)
        yield
    except SegmentationError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check the name or choose another file.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; choose the file in it.") from error
    except PermissionError as error:
        raise DataError(f"{path} cannot be read without permission; ask its owner.") from error
    except MemoryError as error:
        raise DataError(
            f"{path} does not fit into memory; close other programs or crop it."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise DataError(
            f"{path} cannot be read as {kind} ({reason}); it may be truncated or of another kind, "
            "so copy it again or choose another file."
        ) from error


def check_is_stored(path: Path | str) -> None:
    """Raise DataError for a pipe or a device, which may never end; a missing file passes."""
    with suppress(OSError):
        mode = os.stat(path).st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)):
            raise DataError(f"{path} is a pipe or a device; choose a file on the disk.")


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _move_to_backup(folder: Path, target: Path) -> Path:
    backup = backup_name(target)
    shutil.rmtree(backup, ignore_errors=True)
    os.replace(folder, backup)
    return backup


def _exchange_in_steps(one: Path, other: Path) -> None:
    aside = one.with_name(f"{one.name}.old")
    os.replace(other, aside)
    os.replace(one, other)
    os.replace(aside, one)


def _flush_folder(folder: Path) -> None:
    # Only this makes the new name survive a power failure; Windows cannot open folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some file systems have no hard links.
        shutil.copy2(source, target)


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
