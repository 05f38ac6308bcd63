"""Plan of a data set from COCO files: the sample or problem of each image, joined categories."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.data.samples import Sample
from napari_unet_seg.io.coco.paths import clean_name
from napari_unet_seg.io.coco.report import inspect
from napari_unet_seg.io.common.names import group_of
from napari_unet_seg.io.masks.labels import label_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.read import CocoDataset, CocoImage


LONGEST_NAME = 150


class Item(NamedTuple):
    """An image of a COCO file, and its sample, or the reason why the image cannot be used."""

    coco: CocoDataset
    image: CocoImage
    table: Array
    """Maps the COCO file's label values to the label values of the data set."""
    problem: str
    """Reason why the image cannot be used, or empty."""
    sample: Sample


def join_categories(
    groups: Sequence[Sequence[Category]],
) -> tuple[tuple[Category, ...], list[Array]]:
    """Join the categories of several files by name, since files may number them differently.

    Categories of the same file are never joined, even if they have the same name.

    Returns
    -------
    tuple of Category
        Categories of the data set, in the order of its label values from 1.
    list of array
        For each file, the label value in the data set by the label value in the file.
    """
    merged: list[Category] = []
    places: dict[tuple[str, int], int] = {}
    tables = []
    for categories in groups:
        table, seen = [0], Counter[str]()
        for category in categories:
            key = (category.name, seen[category.name])
            seen[category.name] += 1
            if key not in places:
                merged.append(category)
                places[key] = len(merged)
            table.append(places[key])
        tables.append(np.array(table, label_dtype(len(merged))))
    return tuple(merged), tables


def plan(
    coco: Sequence[CocoDataset],
    tables: Sequence[Array],
    boxes: bool,
) -> tuple[list[Item], list[tuple[str, str]]]:
    """Plan the sample of every image.

    Parameters
    ----------
    coco : sequence of CocoDataset
        The COCO files.
    tables : sequence of array
        Of `join_categories`.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.

    Returns
    -------
    list of Item
        All images of all files.
    list of (str, str)
        What is skipped, an image or an annotation, and why.
    """
    items: list[Item] = []
    skipped: list[tuple[str, str]] = []
    taken = Counter[str]()
    for dataset, table in zip(coco, tables, strict=True):
        report = inspect(dataset, boxes=boxes)
        skipped += report.skipped
        good, reasons = {image.id for image in report.usable}, dict(report.skipped)
        for image in dataset.images:
            problem = "" if image.id in good else reasons[image.file_name]
            name = _unique_name(_own_path(image, dataset.folder), taken)
            path, side = image.path or Path(), dataset.split if len(coco) > 1 else None
            sample = Sample(name, path, Path(), group_of(name), side)
            items.append(Item(dataset, image, table, problem, sample))
    return items, skipped


def _own_path(image: CocoImage, folder: Path) -> str:
    """Return an image's file name; of a name that leads out of the folder only what is in it."""
    try:
        return clean_name(image.file_name)
    except ValueError:
        return image.path.relative_to(folder).as_posix() if image.path else image.file_name


def _unique_name(file_name: str, taken: Counter[str]) -> str:
    """Return a unique name for image and mask; folders become a part of the name."""
    stem = PurePosixPath(file_name.replace("\\", "/")).with_suffix("")
    base = "_".join(part for part in stem.parts if part.strip("."))[-LONGEST_NAME:]
    base = name = base or "image"
    while name.lower() in taken:
        taken[base.lower()] += 1
        name = f"{base}_{taken[base.lower()]}"
    taken[name.lower()] = 1
    return name
