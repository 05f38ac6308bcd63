"""Binary masks of 0 and 255, one file per image and category."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import split_suffix, write_error
from napari_unet_seg.io.images.tiff import write_labels
from napari_unet_seg.io.masks.labels import check_values, ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category


def write_binary_masks(
    masks: Iterable[tuple[str, Array]], categories: Sequence[Category], folder: Path
) -> int:
    """Write each mask as TIFF files of 0 and 255, one per category.

    The files of a single category are written to the folder itself; with several categories, each
    has a subfolder of its name. A previous file is kept as `name.bak.tif`.

    Parameters
    ----------
    masks : iterable of (str, array of shape (Y, X))
        File names of the images, whose folders are kept and whose suffix becomes `.tif`, and their
        labels; pixels of `IGNORE_INDEX` become 0.
    categories : sequence of Category
        Categories of the label values from 1, in order.
    folder : Path
        The output folder; it is created if it does not exist.

    Returns
    -------
    int
        Number of written files.

    Raises
    ------
    DataError
        If a mask holds a value that is not a category, two masks have the same name, or a file
        cannot be written.
    """
    places = _folders(categories)
    written: set[str] = set()
    for file_name, given in masks:
        labels = np.asarray(given)
        check_values(labels, f"The mask for {file_name}", len(categories))
        reviewed = np.where(ignored(labels, len(categories)), 0, labels)
        for value, place in enumerate(places, 1):
            name = str(PurePosixPath(place, _tif(file_name)))
            if name.lower() in written:
                raise DataError(
                    f"Two masks would become {folder / name}; rename one of the images."
                )
            written.add(name.lower())
            _write(folder / name, np.where(reviewed == value, 255, 0).astype(np.uint8))
    return len(written)


def _folders(categories: Sequence[Category]) -> list[str]:
    if len(categories) == 1:
        return [""]
    names: dict[str, str] = {}
    for category in categories:
        name, identity = _safe(category.name), _safe(str(category.id))
        tries = [name or identity, f"{name}_{identity}", f"{name}_{len(names) + 1}"]
        free = next((t for t in tries if t.lower() not in names), tries[-1])
        names[free.lower()] = free
    return list(names.values())


def _safe(text: str) -> str:
    return "".join(c if c.isalnum() or c in " -_+" else "_" for c in text).strip()


def _tif(file_name: str) -> str:
    path = PurePosixPath(file_name.replace("\\", "/"))
    parts = [part for part in path.parent.parts if part not in ("..", "/")]
    return str(PurePosixPath(*parts, f"{split_suffix(path)[0]}.tif"))


def _write(path: Path, mask: Array) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path.parent, error) from error
    write_labels(path, mask, axes="YX", keep=True)
