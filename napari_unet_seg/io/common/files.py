"""Files written whole or not at all, and errors of the file system in words."""

from __future__ import annotations

import errno
import mmap
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, cast

from napari_unet_seg.errors import DataError, SegmentationError, WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUP = ".bak"
"""Stands before the suffix of the previous version of a file: `mask.bak.tif`."""
Stamp = tuple[int, int, int]
"""Inode, time of modification and size: another stamp means another content of a file."""

_ALWAYS = 2**24
_MOST_COMPRESSED = 3000
_MENDS = {
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
    """Write a file whole or not at all.

    The block writes to the path it is given, in the same folder and with the same suffix; at its
    end that file reaches the disk and takes the place of the old one. After any error the old
    file stands as it was and nothing is left beside it.

    Parameters
    ----------
    path : Path
        File to write; the target of a link is written, not the link.
    keep : bool
        Keep the file that stood there, see `keep_previous`.

    Raises
    ------
    WriteError
        If the disk is full, the folder cannot be written to, or the like.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(4)}.{target.name[-200:]}")
    try:
        yield temporary
        _flush(temporary)
        if keep:
            keep_previous(target)
        os.replace(temporary, target)
        _flush_folder(target.parent)
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
    """Write a folder whole or not at all, as `atomic` does with files.

    The folder that stood there is kept as `name.bak.suffix`, or removed. Between its leaving and
    the new one's coming there is a moment in which neither has the name.

    Raises
    ------
    WriteError
        If the disk is full, the folder cannot be written to, or the like.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(4)}.{target.name[-200:]}")
    try:
        yield temporary
        if target.exists():
            old = backup_name(target) if keep else temporary.with_name(f"{temporary.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            os.replace(target, old)
        os.replace(temporary, target)
        _flush_folder(target.parent)
        if not keep:
            shutil.rmtree(temporary.with_name(f"{temporary.name}.old"), ignore_errors=True)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def can_hold(size: int, pixels: int) -> bool:
    """Tell whether a compressed file of `size` bytes can hold `pixels` bytes of pixels.

    A damaged header may say anything, and memory would be taken for it before it turns out.
    Deflate and LZW do not reach the limit; of what does, a little is believed.
    """
    return pixels <= max(_ALWAYS, size * _MOST_COMPRESSED)


def write_error(path: Path | str, error: OSError) -> WriteError:
    """Return the error to raise when `path` could not be written."""
    mend = _MENDS.get(error.errno or 0, f"{error.strerror or error}; choose another place")
    return WriteError(f"{path} cannot be written: {mend}.")


def keep_previous(path: Path | str) -> Path | None:
    """Give the file at `path` a second name, `name.bak.suffix`, that outlives its replacement.

    Returns
    -------
    Path or None
        The second name; None where there is no file yet.
    """
    path = Path(path)
    if not path.is_file():
        return None
    previous = backup_name(path)
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name[-200:]}")
    try:
        _link_or_copy(path, temporary)
        os.replace(temporary, previous)
    except OSError as error:
        _discard(temporary)
        raise write_error(previous, error) from error
    return previous


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of a file as it is now, None if there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def backup_name(path: Path) -> Path:
    """Return where the previous version of a file is kept."""
    stem, suffix = split_suffix(path)
    return path.with_name(f"{stem}{BACKUP}{suffix}")


def is_backup(path: Path) -> bool:
    """Whether a file is the previous version of another one."""
    return split_suffix(path)[0].endswith(BACKUP)


def split_suffix(path: PurePath) -> tuple[str, str]:
    """Split a name in two; `.nii.gz`, `.ome.tif` and `.ome.zarr` are one suffix."""
    name, suffix = path.name[: len(path.name) - len(path.suffix)], path.suffix
    inner = Path(name).suffix
    if (inner + suffix).lower() in (".nii.gz", ".ome.tif", ".ome.tiff", ".ome.zarr"):
        return name[: -len(inner)], inner + suffix
    return name, suffix


@contextmanager
def mapped(path: Path) -> Iterator[BinaryIO]:
    """Open a file of which no more can be read than it has.

    Of an ordinary one pydicom and Pillow ask as many bytes as a damaged part of it says it has, and
    memory is taken for them.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        yield cast("BinaryIO", whole)


@contextmanager
def reading(path: Path | str, kind: str) -> Iterator[None]:
    """Turn every error of a parser into one sentence that names the file and the mend.

    Files come from anywhere, and the libraries that read them raise whatever comes up.
    """
    try:
        yield
    except SegmentationError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check the name or choose another file.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; choose the file in it.") from error
    except PermissionError as error:
        raise DataError(f"{path} must not be read; ask its owner for permission.") from error
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


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    # The new name is safe from a power cut only then; Windows cannot open folders.
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
        # Not every file system has hard links.
        shutil.copy2(source, target)


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
