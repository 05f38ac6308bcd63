"""Writing COCO files as a data set of images and masks."""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.data.description import Description, SampleEntry, write_description
from napari_unet_seg.data.pairs import group_of
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.data.splits import assign_splits, draw_groups
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.coco import inspect, rasterise
from napari_unet_seg.io.files import write_error
from napari_unet_seg.io.image import read_image
from napari_unet_seg.io.tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.events import Command
    from napari_unet_seg.io.coco import CocoDataset, CocoImage

Array = np.ndarray[Any, np.dtype[Any]]

_LONGEST_NAME = 150


class _Item(NamedTuple):
    """An image of a COCO file, and why it cannot be used or else the sample it becomes."""

    coco: CocoDataset
    image: CocoImage
    table: Array
    """From the COCO file's own label values to the common ones."""
    problem: str
    sample: Sample


def write_dataset(
    coco: Sequence[CocoDataset],
    out: Path | str,
    *,
    valid_fraction: float = 0.2,
    test_fraction: float = 0.0,
    seed: int = 0,
    boxes: bool = False,
) -> Generator[ItemDone, Command | None, Path | None]:
    """Write COCO files as one data set: images as they are, masks as TIFF.

    Of several files, those that name a split (by their name or folder) keep it; the images of a
    single file are split at random, with augmented copies of one image on the same side. The
    folder appears when all is written; until then, and if it is stopped, nothing stands there.

    Parameters
    ----------
    coco : sequence of CocoDataset
        From `read_coco`.
    out : Path
        Folder to make; it must not exist or be empty.
    valid_fraction, test_fraction : float
        Shares to hold out, where the files have no such part.
    seed : int
        Of the split.
    boxes : bool
        Draw annotations that have only a box as a rectangle.

    Yields
    ------
    ItemDone
        For every image, with its problem if it is left out; `Command.STOP` ends the work.

    Returns
    -------
    Path or None
        The folder; None if it was stopped.

    Raises
    ------
    DataError
        If no image or no labelled pixel is left, or the folder cannot be written.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} exists already; choose a new folder for the data set.")
    part = out.with_name(f".{out.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}")
    try:
        part.mkdir(parents=True)
        done = yield from _write(coco, part, (valid_fraction, test_fraction, seed), boxes)
        if done and out.exists():
            out.rmdir()
        if done:
            os.replace(part, out)
    except OSError as error:
        raise write_error(out, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out if done else None


def _write(
    coco: Sequence[CocoDataset], folder: Path, split: tuple[float, float, int], boxes: bool
) -> Generator[ItemDone, Command | None, bool]:
    """Write everything into a folder; return whether it was finished."""
    categories, tables = join_categories([dataset.categories for dataset in coco])
    items, skipped = _plan(coco, tables, split, boxes)
    entries: list[SampleEntry] = []
    labelled = 0
    for index, item in enumerate(items, 1):
        problem = item.problem or _unreadable(item.image)
        if not problem:
            entry, pixels = _write_item(item, folder, boxes)
            entries.append(entry)
            labelled += pixels
        elif not item.problem:
            skipped.append((item.image.file_name, problem))
        command = yield ItemDone(index, len(items), item.image.file_name, problem)
        if command is not None:
            return False
    _check_worth(coco, len(entries), labelled, skipped)
    sources = tuple(str(dataset.path) for dataset in coco)
    listed = {"samples": tuple(entries), "skipped": tuple(skipped), "sources": sources}
    write_description(folder, Description(categories=categories, **listed))
    return True


def _check_worth(
    coco: Sequence[CocoDataset], samples: int, labelled: int, skipped: list[tuple[str, str]]
) -> None:
    names = ", ".join(str(dataset.path) for dataset in coco)
    why = f" (first: {skipped[0][0]}: {skipped[0][1].rstrip('.')})" if skipped else ""
    if not samples:
        raise DataError(f"No image of {names} can be used{why}; choose the image folder.")
    if not labelled:
        raise DataError(
            f"No annotation of {names} covers a pixel{why}; annotate at least one image, or draw "
            "boxes as rectangles where there are only boxes."
        )


def join_categories(
    groups: Sequence[Sequence[Category]],
) -> tuple[tuple[Category, ...], list[Array]]:
    """Join categories of several files by name; return them and a table for each file's labels.

    Files of one data set may number the same categories differently. Those of one file are never
    joined, whatever their names.
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


def _plan(
    coco: Sequence[CocoDataset],
    tables: Sequence[Array],
    split: tuple[float, float, int],
    boxes: bool,
) -> tuple[list[_Item], list[tuple[str, str]]]:
    """List all images with what becomes of them, and all that is left out."""
    items: list[_Item] = []
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
            items.append(_Item(dataset, image, table, problem, sample))
    sides = iter(_split([item.sample for item in items if not item.problem], *split))
    return [i if i.problem else i._replace(sample=next(sides)) for i in items], skipped


def _unique_name(file_name: str, taken: set[str]) -> str:
    """Return a name for image and mask; folders become part of it."""
    stem = PurePosixPath(file_name.replace("\\", "/")).with_suffix("")
    base = "_".join(part for part in stem.parts if part.strip("."))[-_LONGEST_NAME:]
    base = name = base or "image"
    count = 1
    while name.lower() in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name.lower())
    return name


def _split(
    samples: list[Sample], valid_fraction: float, test_fraction: float, seed: int
) -> tuple[Sample, ...]:
    if not any(sample.split == "test" for sample in samples):
        free = [sample.group for sample in samples if sample.split != "valid"]
        test = draw_groups(free, test_fraction, seed)
        samples = [
            dataclasses.replace(sample, split="test")
            if sample.group in test and sample.split != "valid"
            else sample
            for sample in samples
        ]
    return assign_splits(samples, valid_fraction, seed)


def _unreadable(image: CocoImage) -> str:
    """Tell why a file cannot be decoded: its header alone does not show that it is cut off."""
    try:
        read_image(image.path or Path())
    except DataError as error:
        return str(error)
    return ""


def _write_item(item: _Item, folder: Path, boxes: bool) -> tuple[SampleEntry, int]:
    """Write one image with its mask; return its entry and the number of labelled pixels."""
    sample, source = item.sample, Path(str(item.sample.image))
    image = f"{sample.split}/images/{sample.name}{source.suffix.lower()}"
    mask = f"{sample.split}/masks/{sample.name}.tif"
    for name in (image, mask):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / image)
    labels = item.table[rasterise(item.coco, item.image.id, boxes=boxes)]
    description = {"coco": str(item.coco.path), "image_id": item.image.id, "boxes": boxes}
    write_labels(folder / mask, labels, axes="YX", description=description)
    entry = SampleEntry(
        name=sample.name, split=sample.split, group=sample.group, image=image, mask=mask
    )
    return entry, int(np.count_nonzero(labels))
