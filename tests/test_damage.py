"""Damage that readers once stumbled over."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from dicom_files import write_series
from zarr_images import write_image

from napari_unet_seg.config import Category, TrainConfig
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import ConfigError, DataError, SegmentationError
from napari_unet_seg.io.disk.files import can_hold
from napari_unet_seg.io.images.tiff import write_labels
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LESION = (Category(id=1, name="lesion"),)


def edit(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.fixture
def session(tmp_path: Path) -> Path:
    write_labels(tmp_path / "scan.tif", np.ones((2, 8, 9), np.uint8), axes="ZYX")
    labels = np.zeros((2, 8, 9), np.uint8)
    opened = Session.create(tmp_path / "s", read_scan(tmp_path / "scan.tif"), LESION, labels)
    labels[0, 0, 0] = 1
    opened.save_mask(labels)
    return tmp_path / "s"


@pytest.mark.parametrize("name", ["masks/00000.tif", "predictions/prediction.tif"])
def test_a_mask_of_another_shape_in_a_session(session: Path, name: str) -> None:
    write_labels(session / name, np.zeros((3, 4), np.uint8), axes="YX")
    with pytest.raises(DataError, match=r"is no mask of this session .*restore the original"):
        Session.open(session).load_mask()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["scan"].update(paths=[]),
        lambda d: d["scan"].update(axes="YX"),
        lambda d: d["scan"].update(shape=[1] * 1000, axes="Z" * 1000),
        lambda d: d["scan"].update(shape=[2, 8, 10]),
        lambda d: d.update(format=float("inf")),
        lambda d: d.update(format="9" * 5000),
    ],
)
def test_a_session_whose_description_makes_no_sense(
    session: Path, change: Callable[[Any], object]
) -> None:
    edit(session / "session.json", change)
    with pytest.raises(DataError, match=r"is damaged.*replace it by session\.bak\.json") as caught:
        Session.open(session)
    assert len(str(caught.value)) < 800


def test_settings_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("[" * 100_000)
    with pytest.raises(ConfigError, match="cannot be read as YAML or JSON"):
        TrainConfig.from_file(tmp_path / "a.yaml")


def test_a_data_set_with_an_endless_name(tmp_path: Path) -> None:
    sample = {"name": "a", "group": "a", "image": "9" * 5000, "mask": "b"}
    known = [LESION[0].model_dump()]
    (tmp_path / "dataset.json").write_text(json.dumps({"categories": known, "samples": [sample]}))
    with pytest.raises(DataError, match=r"dataset\.json names .*; write the data set again"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("offsets", [[], [0], None, [0, "x"]])
def test_a_checkpoint_whose_tensors_lie_nowhere(tmp_path: Path, offsets: Any) -> None:
    header = json.dumps({"__metadata__": {"napari_unet_seg": "{}"}, "w": {"data_offsets": offsets}})
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
    with pytest.raises(SegmentationError, match="is not a model of this plugin"):
        read_header(path)


def test_a_picture_whose_header_says_more_than_it_can_hold(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(DataError, match="it lacks pixels"):
        read_scan(tmp_path / "a.png")


def test_flat_pictures_are_believed() -> None:
    assert can_hold(17_000, 4096 * 4096)
    assert can_hold(143_000, 512**3)
    assert not can_hold(1000, 10**9)


def test_a_dicom_element_longer_than_its_file(tmp_path: Path) -> None:
    (path,) = write_series(tmp_path / "s", [0]).iterdir()
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\x00OW") + 8
    path.write_bytes(data[:at] + struct.pack("<I", 2**32 - 3) + data[at + 4 : -10])
    with pytest.raises(DataError, match=r"\.dcm"):
        read_scan(tmp_path / "s")


def test_a_dicom_file_whose_class_is_of_no_kind(tmp_path: Path) -> None:
    (path,) = write_series(tmp_path / "s", [0]).iterdir()
    data = path.read_bytes().replace(b"\x08\x00\x16\x00UI", b"\x08\x00\x17\x00UI")
    path.write_bytes(data.replace(b"\x02\x00\x02\x00UI", b"\x02\x00\x02\x00UU"))
    with pytest.raises(DataError, match=r"\.dcm cannot be read as DICOM"):
        read_scan(path)


def test_a_store_of_more_chunks_than_can_be_opened(tmp_path: Path) -> None:
    write_image(tmp_path / "scan.zarr")
    file = tmp_path / "scan.zarr" / "s0" / ".zarray"
    edit(file, lambda d: d.update(shape=[10**9] * 3))
    with pytest.raises(DataError, match="write it again with other chunks"):
        read_scan(tmp_path / "scan.zarr")


def test_a_broken_chunk_is_told_when_it_is_come_upon(tmp_path: Path) -> None:
    zeros = np.zeros((4, 8, 8), np.uint8)
    group = zarr.create_group(tmp_path / "scan.zarr", zarr_format=2)
    array = group.create_array("0", shape=zeros.shape, chunks=(4, 8, 8), dtype="u1", fill_value=7)
    array[...] = zeros
    axes = [{"name": name} for name in "zyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": levels}]
    for chunk in (tmp_path / "scan.zarr" / "0").rglob("[0-9]*"):
        if chunk.is_file():
            chunk.write_bytes(b"")
    scan = read_scan(tmp_path / "scan.zarr")
    with pytest.raises(DataError, match=r"scan\.zarr cannot be read as OME-Zarr"):
        np.asarray(scan.data)
