"""Description of a data set on disk, the file `dataset.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from napari_unet_seg.config import Category, Config, Stored, Version
from napari_unet_seg.data.samples import Split
from napari_unet_seg.errors import ConfigError, DataError, NewerVersionError
from napari_unet_seg.io.disk.files import atomic, reading, within

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "dataset.json"
COCO_COPIES = "coco"
"""Folder of copies of the COCO files that a data set was imported from."""


class SampleEntry(Config):
    """A sample; paths are relative to the folder of the data set, with slashes."""

    name: str
    split: Split | None = None
    group: str
    image: str
    mask: str


class Description(Stored):
    """Content of `dataset.json`."""

    version_key: ClassVar[str] = "version"
    version: Version = 1
    categories: tuple[Category, ...]
    """In the order of the label values, from 1."""
    samples: tuple[SampleEntry, ...]
    sources: tuple[str, ...] = ()
    """The COCO files that the data set was imported from."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Skipped images and annotations, and the reasons."""
    note: str = ""
    """Note on near-copies among the images and their splits."""


def read_description(folder: Path) -> Description:
    """Read and check the description in the folder of a data set.

    Raises
    ------
    DataError
        If the file cannot be read or is damaged.
    """
    path = folder / FILE_NAME
    with reading(path, "JSON"):
        values = json.loads(path.read_text(encoding="utf-8"))
    try:
        return Description.parse(values, str(path))
    except NewerVersionError as error:
        raise DataError(str(error)) from error
    except ConfigError as error:
        raise DataError(f"{str(error).rstrip('.')}; write the data set again.") from error


def write_description(folder: Path, description: Description) -> None:
    """Write the description into the folder of a data set, atomically."""
    text = json.dumps(description.content(), indent=1)
    with atomic(within(folder, folder / FILE_NAME)) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def coco_copy(folder: Path, index: int) -> Path:
    """Return the copy of a source of a data set; data sets of older versions have none."""
    return folder / COCO_COPIES / f"{index:02d}.json"


def checked_place(path: Path) -> Path:
    """Return the file of a mask to write; in a data set no link may lead it out, see `within`."""
    whole = path.absolute()
    folder = whole.parent.parent.parent  # of `train/masks/name.tif`
    return within(folder, whole) if (folder / FILE_NAME).is_file() else path
