"""`dataset.json`, the description of a data set on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from napari_unet_seg.config import Category, Config, Stored, Version
from napari_unet_seg.data.samples import Split
from napari_unet_seg.errors import ConfigError, DataError, NewerVersionError
from napari_unet_seg.io.common.files import atomic, reading

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "dataset.json"


class SampleEntry(Config):
    """One sample; its paths are relative to the data set's folder, with slashes."""

    name: str
    split: Split | None = None
    group: str
    image: str
    mask: str


class Description(Stored):
    """What `dataset.json` holds."""

    version_key: ClassVar[str] = "version"
    version: Version = 1
    categories: tuple[Category, ...]
    """In the order of the label values, from 1."""
    samples: tuple[SampleEntry, ...]
    sources: tuple[str, ...] = ()
    """The COCO files it was made from."""
    skipped: tuple[tuple[str, str], ...] = ()
    """What was left out, and why."""
    note: str = ""
    """Near-copies among the images, and the sides that they went to."""


def read_description(folder: Path) -> Description:
    """Read and check the description in a data set's folder."""
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
    """Write the description into a data set's folder."""
    text = json.dumps(description.content(), indent=1)
    with atomic(folder / FILE_NAME) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
