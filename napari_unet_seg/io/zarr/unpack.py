"""Unpacking of compressed chunks into no more memory than the metadata of their array claim."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LZMA_MEMORY = 2**28
_DEFLATE_OR_GZIP = 47
"""`wbits` of zlib for both headers."""
_MARGIN = 2**12


def unpack(kind: str, data: bytes, size: int) -> Any:
    """Unpack a chunk.

    Parameters
    ----------
    kind : str
        Name of the compression, one of `KINDS`.
    data : bytes
        The compressed chunk.
    size : int
        Bytes of the unpacked chunk as the metadata claim; a checksum or the header of a second
        compression may be added.

    Returns
    -------
    bytes-like
        The unpacked bytes.

    Raises
    ------
    ValueError
        If the chunk unpacks to more, or its compression is damaged.
    """
    return KINDS[kind](data, size)


def _check(size: int, claimed: int) -> None:
    if size > claimed + claimed // 64 + _MARGIN:
        raise ValueError(f"a chunk unpacks to more than the {claimed} bytes that the metadata name")


def _blosc(data: bytes, claimed: int) -> Any:
    from numcodecs import Blosc

    _check(int.from_bytes(data[4:8], "little"), claimed)
    return Blosc().decode(data)


def _lz4(data: bytes, claimed: int) -> Any:
    from numcodecs import LZ4

    _check(int.from_bytes(data[:4], "little"), claimed)
    return LZ4().decode(data)


def _zstd(data: bytes, claimed: int) -> Any:
    """Unpack into an array of the size in the frame's header, or of the claimed one."""
    from numcodecs import Zstd

    stated = _zstd_size(data)
    size = claimed if stated is None else stated
    _check(size, claimed)
    return Zstd().decode(data, np.empty(size, np.uint8))


def _zstd_size(data: bytes) -> int | None:
    """Read the size of the content in the header of a frame (RFC 8878, 3.1.1.1), None if absent."""
    if not data.startswith(_ZSTD_MAGIC) or len(data) < 6:
        raise ValueError("a chunk is no Zstandard frame")
    flags = data[4]
    is_single = bool(flags & 0x20)
    start = 5 + (not is_single) + (0, 1, 2, 4)[flags & 3]
    length = (int(is_single), 2, 4, 8)[flags >> 6]
    if not length:
        return None
    return int.from_bytes(data[start : start + length], "little") + (256 if length == 2 else 0)


def _stream(make: Callable[[], Any]) -> Callable[[bytes, int], Any]:
    """Return the reader of a format without a size in its header, a part after the other."""

    def read(data: bytes, claimed: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        most = claimed + claimed // 64 + _MARGIN
        while data:
            unpacker = make()
            parts.append(unpacker.decompress(data, most + 1 - size))
            size += len(parts[-1])
            _check(size, claimed)
            if not unpacker.eof:
                raise ValueError("a chunk ends too early")
            data = unpacker.unused_data
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return read


KINDS: dict[str, Callable[[bytes, int], Any]] = {
    "blosc": _blosc,
    "bz2": _stream(bz2.BZ2Decompressor),
    "gzip": _stream(lambda: zlib.decompressobj(_DEFLATE_OR_GZIP)),
    "lz4": _lz4,
    "lzma": _stream(lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)),
    "zlib": _stream(lambda: zlib.decompressobj(_DEFLATE_OR_GZIP)),
    "zstd": _zstd,
}
"""Readers by the name of a compression in Zarr."""
