"""COCO files, models, stores, sessions and settings made to hurt."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.reliability import inputs
from benchmarks.reliability.hostile_files.images import _Planted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SIDE = 64


def _coco(path: Path, annotations: list[Any], categories: int = 1, **changes: Any) -> None:
    Image.new("L", (_SIDE, _SIDE)).save(path.with_name("0.png"))
    image = {"id": 0, "file_name": "0.png", "width": _SIDE, "height": _SIDE} | changes
    known = [{"id": i, "name": f"c{i}"} for i in range(categories)]
    document = {"images": [image], "categories": known, "annotations": annotations}
    path.write_text(json.dumps(document))


def _annotation(number: int, segmentation: Any, **changes: Any) -> dict[str, Any]:
    known = {"id": number, "image_id": 0, "category_id": 0, "segmentation": segmentation}
    return known | {"bbox": [1, 1, 50, 50], "area": 100, "iscrowd": 0} | changes


_BOX = [0, 0, _SIDE, 0, _SIDE, _SIDE, 0, _SIDE]


def coco_deep(path: Path) -> None:
    """A million nested lists."""
    path.write_text("[" * 1_000_000)


def coco_polygons(path: Path) -> None:
    """60,000 polygons as large as their image."""
    _coco(path, [_annotation(i, [_BOX]) for i in range(60_000)])


def coco_points(path: Path) -> None:
    """One polygon of a million points."""
    points = np.random.default_rng(0).uniform(0, _SIDE, 2_000_000).round(2).tolist()
    _coco(path, [_annotation(0, [points])])


def coco_five_million(path: Path) -> None:
    """One polygon of five million points."""
    points = np.random.default_rng(0).uniform(0, _SIDE, 10_000_000).round(1).tolist()
    _coco(path, [_annotation(0, [points])])


def coco_categories(path: Path) -> None:
    """100,000 categories."""
    _coco(path, [_annotation(0, [_BOX])], 100_000)


def coco_nan(path: Path) -> None:
    """Points that are no numbers, or end nowhere."""
    _coco(path, [_annotation(0, [[float("nan")] * 8]), _annotation(1, [[float("inf")] * 8])])


def coco_far(path: Path) -> None:
    """A polygon of a thousand million pixels."""
    _coco(path, [_annotation(0, [[0, 0, 1e9, 0, 1e9, 1e9, 0, 1e9]])])


def coco_size(path: Path) -> None:
    """An image of a million by a million pixels, and its mask as RLE."""
    counts = {"counts": [10**12], "size": [10**6, 10**6]}
    _coco(path, [_annotation(0, counts, iscrowd=1)], width=10**6, height=10**6)


def coco_counts(path: Path) -> None:
    """An RLE longer than its image."""
    counts = {"counts": "9" * 100_000, "size": [_SIDE, _SIDE]}
    _coco(path, [_annotation(0, counts, iscrowd=1)])


def coco_number(path: Path) -> None:
    """An id of a hundred thousand digits."""
    path.write_text('{"images": [{"id": ' + "9" * 100_000 + "}]}")


def _checkpoint(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a small model, and change what its header says."""
    inputs.model(path)
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    known = json.loads(header["__metadata__"]["napari_unet_seg"])
    change(known)
    header["__metadata__"]["napari_unet_seg"] = json.dumps(known)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def model_nan(path: Path) -> None:
    """Weights that are no numbers."""
    inputs.model(path)
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    count = (len(data) - 8 - length) // 8
    data[-4 * count :] = np.full(count, np.nan, "<f4").tobytes()
    path.write_bytes(bytes(data))


def model_size_zero(path: Path) -> None:
    """An image size of 0."""
    _checkpoint(path, lambda known: known.update(image_size=0))


def model_size_negative(path: Path) -> None:
    """An image size of -1."""
    _checkpoint(path, lambda known: known.update(image_size=-1))


def model_size_huge(path: Path) -> None:
    """An image size of a thousand million."""
    _checkpoint(path, lambda known: known.update(image_size=10**9))


def model_categories_none(path: Path) -> None:
    """A model without categories."""
    _checkpoint(path, lambda known: known.update(categories=[]))


def model_categories_three(path: Path) -> None:
    """Three categories for two classes."""
    _checkpoint(path, lambda known: known["categories"].append({"id": 9, "name": "x"}))


def model_wide(path: Path) -> None:
    """A header of a network thirty times as wide as the weights."""
    _checkpoint(path, lambda known: known["model"].update(width=128, depth=6))


def model_header(path: Path) -> None:
    """A header of eight exabytes."""
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")


def model_code(path: Path) -> None:
    """A file of torch that would run a command."""
    import torch

    torch.save(_Planted(), path)


def model_zip(path: Path) -> None:
    """An archive of another kind that unpacks to 1 GiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**30))


def _zarr(path: Path, shape: list[int], chunks: list[int], chunk: bytes = b"") -> None:
    (path / "0").mkdir(parents=True)
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    known = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": levels}]}
    (path / ".zattrs").write_text(json.dumps(known))
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    array = {
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "|u1", "fill_value": 0,
        "order": "C", "filters": None, "compressor": {"id": "zlib", "level": 9},
    }  # fmt: skip
    (path / "0" / ".zarray").write_text(json.dumps(array))
    if chunk:
        (path / "0" / "0.0.0").write_bytes(chunk)


def zarr_shape(path: Path) -> None:
    """A store of 10²⁷ voxels."""
    _zarr(path, [10**9] * 3, [64] * 3)


def zarr_chunks(path: Path) -> None:
    """A store of a thousand million chunks of one voxel."""
    _zarr(path, [1000] * 3, [1] * 3)


def zarr_bomb(path: Path) -> None:
    """A chunk of 16 × 16 × 16 voxels that unpacks to 1 GiB."""
    from benchmarks.reliability.hostile_files.images import _zeros

    _zarr(path, [16] * 3, [16] * 3, _zeros(2**30))


def settings_laughs(path: Path) -> None:
    """YAML whose names stand for names ten times over."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    path.write_text("\n".join(lines))


def settings_deep(path: Path) -> None:
    """YAML of a hundred thousand nested lists."""
    path.write_text("[" * 100_000)


def settings_code(path: Path) -> None:
    """YAML that would run a command."""
    path.write_text("epochs: !!python/object/apply:os.system ['echo Traceback: it has run >&2']")


def session_states(path: Path) -> None:
    """A session of ten million slices."""
    _session(path, lambda d: d["scan"].update(shape=[10**7, 24, 32]))


def session_scan(path: Path) -> None:
    """A session whose scan is a device that never ends."""
    _session(path, lambda d: d["scan"].update(paths=["/dev/zero"]))


def session_deep(path: Path) -> None:
    """A session of a million nested lists."""
    _session(path, lambda d: d)
    (path / "session.json").write_text('{"format":' + "[" * 1_000_000)


def _session(path: Path, change: Callable[[Any], object]) -> None:
    session = inputs.session(path)
    session.save(always=True)
    file = path / "session.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


DOCUMENTS = (
    *((make, "a.json") for make in (
        coco_deep, coco_polygons, coco_points, coco_five_million, coco_categories, coco_nan,
        coco_far, coco_size, coco_counts, coco_number)),
    *((make, "a.safetensors") for make in (
        model_nan, model_size_zero, model_size_negative, model_size_huge, model_categories_none,
        model_categories_three, model_wide, model_header, model_code, model_zip)),
    *((make, "a.zarr") for make in (zarr_shape, zarr_chunks, zarr_bomb)),
    *((make, "a.yaml") for make in (settings_laughs, settings_deep, settings_code)),
    *((make, "session") for make in (session_states, session_scan, session_deep)),
)  # fmt: skip
