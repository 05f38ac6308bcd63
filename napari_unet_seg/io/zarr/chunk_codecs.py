"""Codecs for the chunks of an array from elsewhere: only known ones, which unpack within bounds.

zarr takes any codec that a file names. One of them unpickles, which runs what the file says, and
those that compress unpack a chunk to any size.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NoReturn

import numpy as np
import zarr
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes
from zarr.abc.codec import ArrayArrayCodec, BytesBytesCodec
from zarr.codecs import BytesCodec, ShardingCodec

from napari_unet_seg.io.zarr.unpack import KINDS, unpack

_ARITHMETIC = {
    "adler32",
    "astype",
    "bitround",
    "crc32",
    "crc32c",
    "delta",
    "fixedscaleoffset",
    "fletcher32",
    "jenkins_lookup3",
    "packbits",
    "quantize",
    "shuffle",
}
"""Codecs that make a chunk eight times as large at most."""


def bounded(stored: Any) -> Any:
    """Return an array whose chunks unpack to the size in its metadata at most.

    Parameters
    ----------
    stored : zarr.Array
        An array of Zarr 2 or 3.

    Raises
    ------
    ValueError
        If the array names a codec that is not known; also on reading, if a chunk is larger.
    """
    metadata, width = stored.metadata, stored.dtype.itemsize
    if metadata.zarr_format == 2:
        size = prod(stored.chunks) * width
        compressor = metadata.compressor and _known(metadata.compressor, size)
        filters = metadata.filters and tuple(_known(each, size) for each in metadata.filters)
        limited = replace(metadata, compressor=compressor, filters=filters)
    else:
        size = prod(metadata.chunk_grid.chunk_shape) * width
        limited = replace(metadata, codecs=_limited(metadata.codecs, size, width))
    return zarr.Array(zarr.AsyncArray(metadata=limited, store_path=stored.store_path))


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"its codec {name} is not one that is read")


def _known(codec: Codec, size: int) -> Codec:
    """Return a codec of Zarr 2 for chunks of `size` bytes."""
    if codec.codec_id in KINDS:
        return _Filter(codec.codec_id, size)
    return codec if codec.codec_id in _ARITHMETIC else _refuse(codec.codec_id)


class _Filter(Codec):  # type: ignore[misc]
    """A compression of Zarr 2, for reading."""

    codec_id = "bounded"

    def __init__(self, kind: str, size: int) -> None:
        self._kind, self._size = kind, size

    def encode(self, buf: Any) -> NoReturn:
        raise NotImplementedError

    def decode(self, buf: Any, out: None = None) -> Any:
        return unpack(self._kind, ensure_bytes(buf), self._size)


def _limited(codecs: tuple[Any, ...], size: int, width: int) -> tuple[Any, ...]:
    """Return codecs of Zarr 3 for chunks of `size` bytes, of voxels of `width` bytes."""
    return tuple(_limited_one(codec, size, width) for codec in codecs)


def _limited_one(codec: Any, size: int, width: int) -> Any:
    if isinstance(codec, ShardingCodec):
        inner = _limited(codec.codecs, prod(codec.chunk_shape) * width, width)
        index = _limited(codec.index_codecs, size, width)
        return replace(codec, codecs=inner, index_codecs=index)
    name = codec.to_dict()["name"].removeprefix("numcodecs.")
    if isinstance(codec, BytesBytesCodec) and name in KINDS:
        return _Limited(name, size)
    if isinstance(codec, ArrayArrayCodec | BytesCodec) or name in _ARITHMETIC:
        return codec
    return _refuse(name)


@dataclass(frozen=True)
class _Limited(BytesBytesCodec):
    """A compression of Zarr 3, for reading."""

    kind: str
    size: int
    is_fixed_size = False

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        data = await asyncio.to_thread(unpack, self.kind, chunk_bytes.to_bytes(), self.size)
        return chunk_spec.prototype.buffer.from_bytes(np.frombuffer(data, np.uint8))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> NoReturn:
        raise NotImplementedError
