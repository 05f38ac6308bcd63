"""Plan of a data set from COCO files: the sample or problem of each image, joined categories."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.data.pairs import group_of
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.io.coco.report import inspect

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
    merged: dict[tuple[str, int], Category] = {}
    tables = []
    for categories in groups:
        table, names = [0], [category.name for category in categories]
        for place, category in enumerate(categories):
            key = (category.name, names[:place].count(category.name))
            merged.setdefault(key, category)
            table.append(list(merged).index(key) + 1)
        tables.append(np.array(table, np.uint8 if len(merged) < 255 else np.uint16))
    return tuple(merged.values()), tables


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
    taken: set[str] = set()
    for dataset, table in zip(coco, tables, strict=True):
        report = inspect(dataset, boxes=boxes)
        skipped += report.skipped
        good, reasons = {image.id for image in report.usable}, dict(report.skipped)
        for image in dataset.images:
            problem = "" if image.id in good else reasons[image.file_name]
            name = _unique_name(image.file_name, taken)
            path, side = image.path or Path(), dataset.split if len(coco) > 1 else None
            sample = Sample(name, path, Path(), group_of(name), side)
            items.append(Item(dataset, image, table, problem, sample))
    return items, skipped


def _unique_name(file_name: str, taken: set[str]) -> str:
    """Return a unique name for image and mask; folders become a part of the name."""
    stem = PurePosixPath(file_name.replace("\\", "/")).with_suffix("")
    base = "_".join(part for part in stem.parts if part.strip("."))[-LONGEST_NAME:]
    base = name = base or "image"
    count = 1
    while name.lower() in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name.lower())
    return name
