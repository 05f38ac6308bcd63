"""Pairs of images and masks in folders without a `dataset.json`, as other programs write them."""

from __future__ import annotations

from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, UNNAMED, Category, numbered_categories
from napari_unet_seg.data.samples import (
    Sample,
    SampleSet,
    Split,
    elsewhere,
    read_each,
    shortened,
)
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.common.names import MASK_ENDS, group_of
from napari_unet_seg.io.disk.listing import entries
from napari_unet_seg.io.images.photographs import SUFFIXES, TIFF_SUFFIXES, image_size
from napari_unet_seg.io.nifti import SUFFIXES as VOLUMES
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


_FOLDERS: dict[str, Split] = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}


def holds_pairs(folder: Path) -> bool:
    """Whether a folder, or one of its splits, holds the folders `images` and `masks`."""
    places = (folder, *(folder / name for name in _FOLDERS))
    return any(isdir(p / "images") and isdir(p / "masks") for p in places)


def read_pairs(folder: Path) -> SampleSet:
    """Pair the files of `images/` and `masks/` by name, also in `train`, `valid` and `test`.

    Masks are read by `read_labels`. The name of a mask may end with `_mask`, `_seg` or `_label`.

    Raises
    ------
    DataError
        If the folder holds no files, an image or a mask is missing, a mask has another size or
        cannot be read, or no mask has a labelled pixel.
    """
    samples = tuple(_samples(folder))
    if not samples:
        raise DataError(
            f"{folder} is no data set: it has neither dataset.json nor the folders images and "
            "masks with files in them; write one with Import COCO."
        )
    values, notes = np.zeros(IGNORE_INDEX + 1, bool), []
    for found, note in read_each(samples, _values):
        values |= found
        notes.append(note)
    labels = np.flatnonzero(values[1:IGNORE_INDEX]) + 1
    if not len(labels):
        raise DataError(f"No mask of {folder} has a labelled pixel; annotate at least one image.")
    return SampleSet(samples, _categories(labels), str(folder), notes=shortened(notes))


def _samples(folder: Path) -> Iterator[Sample]:
    for name, split in _FOLDERS.items():
        yield from _split_samples(folder / name, split)
    yield from _split_samples(folder, None)


def _split_samples(folder: Path, split: Split | None) -> Iterator[Sample]:
    if not isdir(folder / "images") or not isdir(folder / "masks"):
        return
    images, masks = _by_stem(folder / "images"), _by_stem(folder / "masks")
    for stem, image in images.items():
        names = (stem + end for end in ("", *MASK_ENDS))
        mask = next((masks.pop(name) for name in names if name in masks), None)
        if mask is None:
            raise DataError(
                f"{image} has no mask of the same name in {folder / 'masks'}; add the mask or "
                "remove the image."
            )
        yield Sample(stem, image, mask, group_of(stem), split)
    if masks:
        raise DataError(
            f"{next(iter(masks.values()))} has no image of the same name in {folder / 'images'}; "
            "add the image or remove the mask."
        )


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in entries(folder):
        stem = _stem(path)
        if not stem:
            continue
        if stem in files:
            raise DataError(
                f"{path} and {files[stem].name} differ only in their suffix, so that their masks "
                "have the same name; rename one of them."
            )
        files[stem] = path
    return files


def _stem(path: Path) -> str:
    """Return the name without suffix; empty for a file that is neither image nor volume."""
    name = path.name.lower()
    suffix = next((s for s in (*SUFFIXES, *TIFF_SUFFIXES, *VOLUMES) if name.endswith(s)), "")
    return path.name[: -len(suffix)] if suffix and not name.startswith(".") else ""


def _values(sample: Sample) -> tuple[Array, str]:
    """Return for each of the values 0 to 255 whether the mask holds it, and a note on its place."""
    mask, size, note = _mask_and_size(Path(str(sample.mask)), Path(str(sample.image)))
    if mask.shape != size:
        raise DataError(
            f"{sample.mask} has the shape {mask.shape} and its image {size}; give a grey mask "
            "that was made on this image."
        )
    if (highest := int(mask.max(initial=0))) > IGNORE_INDEX:
        raise DataError(
            f"{sample.mask} holds the label {highest}, and training takes none other than 0 to "
            f"{IGNORE_INDEX}; number the categories from 1."
        )
    return np.bincount(mask.ravel(), minlength=IGNORE_INDEX + 1) > 0, note


def _mask_and_size(mask: Path, image: Path) -> tuple[Array, tuple[int, ...], str]:
    labels = read_labels(mask)
    if not image.name.lower().endswith(VOLUMES):
        return np.asarray(labels.data), image_size(image), ""
    scan = read_scan(image)
    labels = turned_onto(labels, scan, (str(mask), "its image"))
    note = elsewhere(mask, misplacement(scan, labels))
    return np.asarray(labels.data), scan.grid_shape, note


def _categories(labels: Array) -> tuple[Category, ...]:
    """Return categories for the label values in the masks."""
    if labels.tolist() == [1]:
        return (UNNAMED,)
    return numbered_categories(int(labels.max()))
