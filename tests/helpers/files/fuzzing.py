"""Damaged files of every format that is read, and what reads them.

A target is a folder of small valid files and a function that reads it as the widgets and the
program do, pixels included. `damage` changes one of its files: bytes are flipped, cut, repeated and
spliced, and in JSON values are changed for others that make no sense there.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
from dicom_files import write_series
from PIL import Image
from pydicom import uid
from pydicom.encaps import encapsulate

from napari_unet_seg.config import Category, TrainConfig
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CATEGORIES = (Category(id=0, name="glioma"), Category(id=300, name="cyst"))
HEIGHT, WIDTH = 12, 16

_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**30), 0.5, 1e308),
    *(float("nan"), float("inf"), "", "x", "\0", "../../x", "ü\udc80", "9" * 5000),
    *([], {}, [[]], [None], [float("inf")] * 6, [[0, 0, 1e9, 0, 1e9, 1e9]], [0] * 1000),
    {"counts": "0" * 40, "size": [2**20, 2**20]},
)


@dataclass(frozen=True)
class Target:
    """A format."""

    make: Callable[[Path], None]
    """Write small valid files into a folder."""
    read: Callable[[Path, Path], None]
    """Read the folder, of which one file is damaged, or raise SegmentationError."""


def damage(folder: Path, seed: int) -> Path:
    """Change one file of a folder in place, the same way for the same seed; return it."""
    choose = random.Random(seed)
    path = choose.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    data = path.read_bytes()
    is_json = data[:1] in (b"{", b"[") and choose.random() < 0.8
    path.write_bytes(_json(data, choose) if is_json else _bytes(data, choose))
    return path


def _bytes(data: bytes, choose: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 4, 16))):
        # Headers are where it matters.
        reach = choose.choice((32, 256, len(changed)))
        at = choose.randrange(max(1, min(reach, len(changed))))
        length = choose.choice((1, 2, 4, 8, 64))
        kind = choose.randrange(6)
        if kind == 0:
            changed[at : at + 1] = bytes([choose.randrange(256)])
        elif kind == 1:
            changed[at : at + length] = choose.choice((b"\0", b"\xff", b"\x7f", b"9")) * length
        elif kind == 2:
            changed[at : at + length] = b""
        elif kind == 3:
            changed[at:at] = changed[at : at + length] * choose.choice((1, 50))
        elif kind == 4:
            del changed[at:]
        else:
            other = choose.randrange(max(1, len(changed)))
            changed[at : at + length] = changed[other : other + length]
    return bytes(changed)


def _json(data: bytes, choose: random.Random) -> bytes:
    document = json.loads(data)
    for _ in range(choose.choice((1, 1, 2, 5))):
        _change(document, choose)
    text = json.dumps(document)
    if choose.random() < 0.02:
        text = "[" * 100_000 + text
    return text.encode("utf-8", "surrogatepass")


def _change(document: Any, choose: random.Random) -> None:
    """Change one value, wherever it stands."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            places.append((value, key))
            if isinstance(inner, dict | list):
                walk(inner)

    walk(document)
    if not places:
        return
    holder, key = choose.choice(places)
    kind = choose.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.append(holder[key])
    elif kind == 2:
        other, name = choose.choice(places)
        holder[key] = json.loads(json.dumps(other[name])) if _has(other, name) else None
    else:
        holder[key] = copy.deepcopy(choose.choice(_STRANGE))


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


# --- the formats


def _picture(path: Path, **options: Any) -> None:
    pixels = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
    Image.fromarray(pixels).save(path, **options)


def _labels() -> np.ndarray[Any, Any]:
    labels = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    labels[0, 2:6, 3:9], labels[1:, 5:9, 2:7] = 1, 2
    return labels


def _coco(folder: Path) -> None:
    from napari_unet_seg.io.coco.write import labels_to_coco, save_coco

    names = [f"{i}.png" for i in range(3)]
    for name in names:
        _picture(folder / name)
    document = labels_to_coco(zip(names, _labels(), strict=True), CATEGORIES)
    first = document["annotations"][0]
    size = {"size": [HEIGHT, WIDTH]}
    document["annotations"] += [
        {**first, "id": 90, "segmentation": {**size, "counts": [3, 20, HEIGHT * WIDTH - 23]}},
        {**first, "id": 91, "segmentation": {**size, "counts": "35R5"}, "iscrowd": 1},
        {**first, "id": 92, "segmentation": [], "bbox": [1, 1, 4, 5], "attributes": {"a": 1}},
    ]
    save_coco(document, folder / "annotations.json")


def _read_coco(folder: Path, damaged: Path) -> None:
    from written_back import write_back, write_back_instances

    from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import read_coco
    from napari_unet_seg.io.coco.report import inspect, overlaps

    dataset = read_coco(folder / "annotations.json")
    usable = inspect(dataset, boxes=True).usable
    overlaps(dataset, usable, boxes=True)
    edited = {image.id: rasterise(dataset, image.id, boxes=True) for image in usable}
    for labels in edited.values():
        labels[0, 0] = 0
    json.dumps(write_back(dataset, edited, boxes=True))
    for image in usable:
        stack = np.zeros((1, image.height, image.width), instance_dtype(dataset, [image]))
        instances = draw_instances(dataset, [image], stack, boxes=True)
        stack[0, -1, -1] = 0
        json.dumps(write_back_instances(instances, {image.id: stack[0]}))


def _tiff(folder: Path) -> None:
    import tifffile

    from napari_unet_seg.io.images.tiff import write_labels

    known = {"categories": [c.model_dump() for c in CATEGORIES]}
    place = {"axes": "ZYX", "spacing": (3.0, 0.5, 0.5), "unit": "mm", "description": known}
    write_labels(folder / "ours.tif", _labels(), **place)
    write_labels(folder / "wide.tif", _labels().astype(np.uint32) * 70_000, **place)
    tifffile.imwrite(folder / "plain.tif", _labels(), photometric="minisblack")
    packed = {"compression": "lzw", "photometric": "minisblack"}
    tifffile.imwrite(folder / "ome.ome.tif", _labels(), metadata={"axes": "CYX"}, **packed)
    tiles = np.zeros((64, 64), np.uint16)
    tifffile.imwrite(folder / "tiled.tif", tiles, tile=(16, 16), bigtiff=True)


def _pictures(folder: Path) -> None:
    for suffix in ("png", "jpg", "bmp", "gif", "webp", "jp2"):
        _picture(folder / f"a.{suffix}")


def _nifti(folder: Path) -> None:
    from napari_unet_seg.io.nifti import read_nifti, write_nifti_labels

    affine = np.array([[0, -2, 0.3, 1], [1.5, 0, 0, 2], [0, 0.2, -3, 4], [0, 0, 0, 1]])
    scan = nibabel.Nifti1Image(_labels().T.astype(np.int16), affine)
    scan.header.set_slope_inter(0.5, 1)
    nibabel.save(scan, folder / "scan.nii")
    nibabel.save(nibabel.Nifti2Image(_labels().T[..., None], affine), folder / "two.nii.gz")
    like = read_nifti(folder / "scan.nii")
    known = {"categories": [c.model_dump() for c in CATEGORIES]}
    labels = np.zeros(like.grid_shape, np.uint8)
    write_nifti_labels(folder / "mask.nii.gz", labels, like, description=known)


def _dicom(folder: Path) -> None:
    write_series(folder, [0, 2, 4], shape=(HEIGHT, WIDTH), RescaleSlope=2, RescaleIntercept=-1)


def _dicom_compressed(folder: Path) -> None:
    """Write a slice of each compression."""
    (made,) = write_series(folder / "made", [0], shape=(HEIGHT, WIDTH)).iterdir()
    stored = pydicom.dcmread(made)
    pixels = stored.pixel_array
    encoded = {
        uid.JPEGExtended12Bit: imagecodecs.jpeg8_encode(pixels, bitspersample=12),
        uid.JPEGLosslessSV1: imagecodecs.ljpeg_encode(pixels, bitspersample=16),
        uid.JPEGLSLossless: imagecodecs.jpegls_encode(pixels),
        uid.JPEG2000Lossless: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k"),
    }
    for syntax, frame in encoded.items():
        stored.PixelData = encapsulate([frame])
        stored["PixelData"].is_undefined_length = True
        stored.file_meta.TransferSyntaxUID = syntax
        stored.save_as(folder / f"{syntax.keyword}.dcm")
    shutil.rmtree(folder / "made")


def _dicom_seg(folder: Path) -> None:
    from napari_unet_seg.io.dicom.seg_write import write_seg
    from napari_unet_seg.io.dicom.series import read_dicom

    (folder / "series").mkdir()
    _dicom(folder / "series")
    known = {"categories": [c.model_dump() for c in CATEGORIES]}
    write_seg(folder / "mask.dcm", _labels(), read_dicom(folder / "series"), known)
    shutil.rmtree(folder / "series")


def _npy(folder: Path) -> None:
    np.save(folder / "a.npy", _labels())
    np.save(folder / "b.npy", _labels().astype(np.float32).T)


def _zarr(folder: Path) -> None:
    from napari_unet_seg.io.zarr.write import write_ome_labels

    like = Scan(np.zeros((3, HEIGHT, WIDTH), np.uint8), "ZYX", (3.0, 0.5, 0.5), "mm")
    write_ome_labels(folder / "mask.zarr", _labels(), like, {"categories": []})


def _dataset(folder: Path) -> None:
    from napari_unet_seg.data.dataset_write import write_dataset
    from napari_unet_seg.io.coco.read import read_coco

    source = folder / "source"
    source.mkdir()
    _coco(source)
    for _ in write_dataset([read_coco(source / "annotations.json")], folder / "set"):
        pass
    shutil.rmtree(source)


def _read_dataset(folder: Path, damaged: Path) -> None:
    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.data.cache import read_sample
    from napari_unet_seg.data.dataset import open_dataset

    for sample in open_dataset(folder / "set").samples:
        read_sample(sample, 1, NormaliseConfig())


def _checkpoint(folder: Path) -> None:
    from napari_unet_seg.config import ModelConfig, NormaliseConfig
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import build_net
    from napari_unet_seg.nn.checkpoint import save_checkpoint

    model = ModelConfig(width=4, depth=1, classes=2)
    info = CheckpointInfo(
        version="0",
        model=model,
        categories=CATEGORIES,
        normalise=NormaliseConfig(),
        image_size=64,
    )
    save_checkpoint(folder / "net.safetensors", build_net(model), info)


def _read_checkpoint(folder: Path, damaged: Path) -> None:
    from napari_unet_seg.nn.checkpoint import load_net

    load_net(folder / "net.safetensors")


def _session(folder: Path) -> None:
    from napari_unet_seg.session.session import Session

    np.save(folder / "scan.npy", _labels())
    scan = Scan(_labels(), "ZYX", path=folder / "scan.npy")
    session = Session.create(folder / "session", scan, CATEGORIES, _labels())
    labels = _labels()
    labels[0, 0, 0] = 1
    session.save_mask(labels)


def _read_session(folder: Path, damaged: Path) -> None:
    from napari_unet_seg.session.session import Session

    session = Session.open(folder / "session")
    session.load_mask()
    np.asarray(session.scan.data)


def _config(folder: Path) -> None:
    TrainConfig().to_file(folder / "a.yaml")
    TrainConfig().to_file(folder / "b.json")


def _read_config(folder: Path, damaged: Path) -> None:
    TrainConfig.from_file(damaged)


def _read_file(folder: Path, damaged: Path) -> None:
    """Read a file as a scan, and as a mask where it may be one."""
    from napari_unet_seg.io.read import read_labels, read_scan

    scan = read_scan(damaged)
    np.asarray(scan.data)
    if scan.data.dtype.kind in "ui" and "C" not in scan.axes:
        read_labels(damaged)


def _read_folder(folder: Path, damaged: Path) -> None:
    """Read a folder that is one scan."""
    from napari_unet_seg.io.read import read_scan

    np.asarray(read_scan(folder).data)


def _read_store(folder: Path, damaged: Path) -> None:
    from napari_unet_seg.io.read import read_labels, read_scan

    scan = read_scan(folder / "mask.zarr")
    # A store of any size is legal and opens; read is only what is looked at.
    if scan.data.nbytes < 2**22:
        read_labels(folder / "mask.zarr")


TARGETS = {
    "coco": Target(_coco, _read_coco),
    "tiff": Target(_tiff, _read_file),
    "pictures": Target(_pictures, _read_file),
    "nifti": Target(_nifti, _read_file),
    "dicom": Target(_dicom, _read_folder),
    "dicom-compressed": Target(_dicom_compressed, _read_file),
    "dicom-seg": Target(_dicom_seg, _read_file),
    "npy": Target(_npy, _read_file),
    "ome-zarr": Target(_zarr, _read_store),
    "dataset": Target(_dataset, _read_dataset),
    "checkpoint": Target(_checkpoint, _read_checkpoint),
    "session": Target(_session, _read_session),
    "config": Target(_config, _read_config),
}
