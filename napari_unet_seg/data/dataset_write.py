"""Writing COCO files as a data set of images and masks."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.data.dataset_plan import Item, join_categories, plan
from napari_unet_seg.data.description import (
    COCO_COPIES,
    Description,
    SampleEntry,
    coco_copy,
    write_description,
)
from napari_unet_seg.data.splits import assign_splits, draw_groups
from napari_unet_seg.data.twins import join_groups, thumbnail, twin_groups, twin_note
from napari_unet_seg.errors import DataError, WriteError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.source import CocoSource
from napari_unet_seg.io.disk.whole_folder import whole_folder
from napari_unet_seg.io.images.photographs import read_image
from napari_unet_seg.io.images.tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.events import Command
    from napari_unet_seg.io.coco.read import CocoDataset


_UNSORTED = "unsorted"
"""Folder of images and masks before they are assigned to splits."""


def write_dataset(
    coco: Sequence[CocoDataset],
    out: Path | str,
    *,
    valid_fraction: float = 0.2,
    test_fraction: float = 0.0,
    seed: int = 0,
    boxes: bool = False,
) -> Generator[ItemDone, Command | None, Path | None]:
    """Write COCO files as one data set, with copies of the images, and masks as TIFF.

    Among several files, a file that names a split by its name or folder keeps this split. The
    images of a single file are split at random, with augmented copies of an image in one split.
    The folder is created at the end, so that a stop or an error leaves no partial data set.

    Parameters
    ----------
    coco : sequence of CocoDataset
        From `read_coco`.
    out : Path
        Folder to create; it must not exist, or must be empty.
    valid_fraction, test_fraction : float
        Shares of the samples to hold out, if the files name no such split.
    seed : int
        Seed of the random split.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.

    Yields
    ------
    ItemDone
        For every image, with its problem if the image is skipped; `Command.STOP` stops.

    Returns
    -------
    Path or None
        The folder; None after a stop.

    Raises
    ------
    DataError
        If no image can be used, no pixel is labelled, or the folder cannot be written.
    """
    out = Path(out)
    with whole_folder(out) as part:
        done = yield from _write(coco, part, (valid_fraction, test_fraction, seed), boxes)
        if not done:
            shutil.rmtree(part)
    return out if done else None


def _write(
    coco: Sequence[CocoDataset], folder: Path, split: tuple[float, float, int], boxes: bool
) -> Generator[ItemDone, Command | None, bool]:
    """Write the data set into a folder; return False after a stop."""
    categories, tables = join_categories([dataset.categories for dataset in coco])
    items, skipped = plan(coco, tables, boxes)
    samples: list[Sample] = []
    small: list[Array] = []
    labelled = 0
    for index, item in enumerate(items, 1):
        written, problem = (None, item.problem) if item.problem else _attempt(item, folder, boxes)
        if written is not None:
            samples.append(written.sample)
            small.append(written.thumbnail)
            labelled += written.labelled
        elif not item.problem:
            skipped.append((item.image.file_name, problem))
        command = yield ItemDone(index, len(items), item.image.file_name, problem)
        if command is not None:
            return False
    _check_worth(coco, len(samples), labelled, skipped)
    twins = twin_groups(np.stack(small)).tolist()
    done = _split(samples, twins, *split)
    description = Description(
        categories=categories,
        samples=tuple(_place(sample, folder) for sample in done),
        skipped=tuple(skipped),
        sources=tuple(str(dataset.path) for dataset in coco),
        note=twin_note([s.group for s in done], twins, [s.split != "train" for s in done]),
    )
    shutil.rmtree(folder / _UNSORTED)
    write_description(folder, description)
    _keep_copies(coco, folder)
    return True


def _keep_copies(coco: Sequence[CocoDataset], folder: Path) -> None:
    """Copy the COCO files, so that an export finds out what has changed in them since."""
    (folder / COCO_COPIES).mkdir()
    for index, dataset in enumerate(coco):
        CocoSource(dataset.path, dataset).keep_copy(coco_copy(folder, index))


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


def _split(
    samples: list[Sample],
    twins: list[int],
    valid_fraction: float,
    test_fraction: float,
    seed: int,
) -> tuple[Sample, ...]:
    groups = join_groups([sample.group for sample in samples], twins)
    if not any(sample.split == "test" for sample in samples):
        free = [g for g, s in zip(groups, samples, strict=True) if s.split != "valid"]
        test = draw_groups(free, test_fraction, seed)
        samples = [
            dataclasses.replace(s, split="test") if g in test and s.split != "valid" else s
            for g, s in zip(groups, samples, strict=True)
        ]
    return assign_splits(samples, valid_fraction, seed, twins=twins)


class _Written(NamedTuple):
    """An image that was written with its mask."""

    sample: Sample
    thumbnail: Array
    labelled: int
    """Number of labelled pixels."""


def _attempt(item: Item, folder: Path, boxes: bool) -> tuple[_Written | None, str]:
    """Write an image with its mask, or return the problem."""
    try:
        return _write_item(item, folder, boxes), ""
    except (WriteError, OSError):
        # For example a full disk, which the following images would meet too.
        raise
    except Exception as error:
        return None, log.problem(error, item.image.path or item.image.file_name)


def _write_item(item: Item, folder: Path, boxes: bool) -> _Written:
    sample, source = item.sample, Path(str(item.sample.image))
    # The header alone does not show a truncated file.
    picture = np.asarray(read_image(source).data)
    for part in ("images", "masks"):
        (folder / _UNSORTED / part).mkdir(parents=True, exist_ok=True)
    image = folder / _UNSORTED / "images" / f"{sample.name}{source.suffix.lower()}"
    mask = folder / _UNSORTED / "masks" / f"{sample.name}.tif"
    shutil.copyfile(source, image)
    labels = item.table[rasterise(item.coco, item.image.id, boxes=boxes)]
    description = {"coco": str(item.coco.path), "image_id": item.image.id, "boxes": boxes}
    write_labels(mask, labels, axes="YX", description=description)
    done = dataclasses.replace(sample, image=image, mask=mask)
    return _Written(done, thumbnail(picture), int(np.count_nonzero(labels)))


def _place(sample: Sample, folder: Path) -> SampleEntry:
    """Move image and mask to the folders of their split."""
    names = []
    for file in (Path(str(sample.image)), Path(str(sample.mask))):
        name = f"{sample.split}/{file.parent.name}/{file.name}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        file.rename(folder / name)
        names.append(name)
    image, mask = names
    return SampleEntry(
        name=sample.name, split=sample.split, group=sample.group, image=image, mask=mask
    )
