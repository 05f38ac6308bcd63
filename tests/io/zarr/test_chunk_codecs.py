"""Chunks unpack to the size that the metadata name, and by known codecs only."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
import zarr.codecs
from zarr_images import write_image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.zarr.read import read_ome_zarr

CLAIMED, STORED = (4, 100, 100), (2400, 100, 100)
COMPRESSIONS = [
    *(
        ("0.4", codec)
        for codec in (
            numcodecs.Blosc(),
            numcodecs.BZ2(),
            numcodecs.GZip(),
            numcodecs.LZ4(),
            numcodecs.LZMA(),
            numcodecs.Zlib(),
            numcodecs.Zstd(),
        )
    ),
    ("0.5", zarr.codecs.BloscCodec()),
    ("0.5", zarr.codecs.GzipCodec()),
    ("0.5", zarr.codecs.ZstdCodec()),
]


def write_ones(path, version, shape, **how):
    """Write an image of ones in one chunk."""
    write_image(path, version=version)
    group = zarr.open_group(path)
    del group["s0"]
    group.create_array("s0", shape=shape, dtype="u1", **{"chunks": shape, **how})[...] = 1


def change(path, **fields):
    file = path / "s0" / ("zarr.json" if "chunk_grid" in fields else ".zarray")
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@pytest.mark.parametrize(("version", "codec"), COMPRESSIONS)
def test_a_chunk_takes_no_more_memory_than_the_metadata_name(tmp_path, version, codec):
    write_ones(tmp_path / "honest.zarr", version, CLAIMED, compressors=codec)
    assert (np.asarray(read_ome_zarr(tmp_path / "honest.zarr").data) == 1).all()

    path = tmp_path / "bomb.zarr"
    write_ones(path, version, STORED, compressors=codec)
    grid = {"name": "regular", "configuration": {"chunk_shape": CLAIMED}}
    change(
        path, shape=CLAIMED, **({"chunk_grid": grid} if version == "0.5" else {"chunks": CLAIMED})
    )
    scan = read_ome_zarr(path)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"bomb\.zarr .* unpacks to more than the 40000 bytes"):
        np.asarray(scan.data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < np.prod(STORED) / 2


def test_gzip_of_several_members_is_read(tmp_path):
    write_ones(tmp_path / "scan.zarr", "0.4", CLAIMED, compressors=numcodecs.GZip())
    (chunk,) = (tmp_path / "scan.zarr" / "s0").rglob("0.0.0")
    data = chunk.read_bytes()
    chunk.write_bytes(data + numcodecs.GZip().encode(b""))  # a second member, as bgzip writes
    assert (np.asarray(read_ome_zarr(tmp_path / "scan.zarr").data) == 1).all()


def test_filters_and_shards_are_read(tmp_path):
    filters = [numcodecs.Delta("u1"), numcodecs.Shuffle(1)]
    write_ones(tmp_path / "filters.zarr", "0.4", (8, 64, 64), filters=filters)
    assert (np.asarray(read_ome_zarr(tmp_path / "filters.zarr").data) == 1).all()
    sharded = {"chunks": (4, 16, 16), "shards": (8, 64, 64)}
    write_ones(tmp_path / "shards.zarr", "0.5", (8, 64, 64), **sharded)
    assert (np.asarray(read_ome_zarr(tmp_path / "shards.zarr").data) == 1).all()


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return Path.mkdir, (self.folder,)


def test_nothing_is_unpickled_from_a_chunk(tmp_path):
    path = tmp_path / "scan.zarr"
    write_ones(path, "0.4", CLAIMED)
    change(path, compressor={"id": "pickle", "protocol": 5})
    (chunk,) = (path / "s0").rglob("0.0.0")
    chunk.write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    with pytest.raises(DataError, match=r"scan\.zarr .*pickle"):
        np.asarray(read_ome_zarr(path).data)
    assert not (tmp_path / "boom").exists()
