"""The phantoms of `sample_data` in the layouts of the real data sets, for `--smoke`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.common.paths import SAMPLES
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KINDS = ("gl", "me", "pi")
_PLANES = ("ax", "co", "sa")
_EVERY = 3
"""One slice in so many is taken."""

SMALL_RUN = {"epochs": 1, "image_size": 64, "precision": "float32"}
"""Settings of a training that takes seconds."""


def brisc(folder: Path) -> Path:
    """Write the layout of BRISC: slices with a tumour, a mirrored copy of some, healthy slices."""
    for name in ("images", "masks", "no_tumor"):
        (folder / name).mkdir()
    number = 0
    for image, mask in _slices():
        copies = [(image, mask)] if mask.any() else []
        if mask.any() and number < 3:
            # annotated anew: the mask of the copy is a pixel lower
            copies.append((image[:, ::-1], np.roll(mask, 1, 0)[:, ::-1]))
        for pixels, truth in copies:
            number += 1
            kind, plane = _KINDS[number % 3], _PLANES[number // 3 % 3]
            stem = f"brisc_synthetic_{number:05}_{kind}_{plane}"
            _save(pixels, folder / "images" / f"{stem}.jpg")
            _save(truth.astype(np.uint8) * 255, folder / "masks" / f"{stem}.png")
    for number, (image, _) in enumerate(_slices()):
        if number % 3 == 0:
            # no tumour: only the dark upper end of the head
            clean = np.where(np.arange(len(image))[:, None] < len(image) // 3, image, 0)
            name = f"brisc_synthetic_{number:05}_no_{_PLANES[number % 3]}.jpg"
            _save(clean.astype(np.uint8), folder / "no_tumor" / name)
    return folder


def brisc_and_lgg(folder: Path) -> Path:
    """Write the layout of BRISC, and that of `lgg-flair` with two patients in each part."""
    (folder / "brisc-256").mkdir()
    brisc(folder / "brisc-256")
    for number, (image, mask) in enumerate(_slices()):
        patient = f"TCGA_XX_{number % 4:04}_19990101"
        place = folder / "lgg-flair" / ("tune", "test")[number % 2] / patient
        place.mkdir(parents=True, exist_ok=True)
        _save(image, place / f"{patient}_{number:02}.png")
        _save(mask.astype(np.uint8) * 255, place / f"{patient}_{number:02}_mask.png")
    return folder


def tumorseg(folder: Path) -> Path:
    """Copy the COCO files of the phantoms, which have the layout of TumorSeg."""
    return shutil.copytree(SAMPLES / "coco", folder / "coco")


def _slices() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield some uint8 slices (Y, X) with the bool masks of their tumours."""
    for file in sorted((SAMPLES / "coco").glob("*/_annotations.coco.json")):
        coco = read_coco(file)
        value = 1 + [category.name for category in coco.categories].index("tumour")
        for image in coco.images[::_EVERY]:
            with Image.open(image.path) as picture:
                yield np.asarray(picture.convert("L")), rasterise(coco, image.id) == value


def _save(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
