"""Names of output files, and of the slices of a mask in a COCO file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.io.common.files import split_suffix
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


def planes(file_name: str, mask: Scan) -> Iterator[tuple[str, Array]]:
    """Yield the slices of a mask, of shape (Y, X), with their file names.

    A single slice has the name of the file. Slices of a volume get a number, `scan_0012.tif`;
    independent images have names of their own.
    """
    data = mask.data
    leading = data.shape[:-2]
    if not leading:
        yield file_name, np.asarray(data)
        return
    base = PurePosixPath(file_name)
    for number, place in enumerate(np.ndindex(*leading)):
        own = f"{base.name.partition('.')[0]}_{number:04d}.tif"
        named = mask.names[number] if number < len(mask.names) else str(base.with_name(own))
        yield named, np.asarray(data[place])


def output_names(paths: list[Path]) -> list[str]:
    """Return a unique name without suffix for the output of each file.

    Files of the same name in several folders are prefixed by the name of their folder, and get a
    number if that is not unique either.
    """
    short = [p.name if p.is_dir() and not is_zarr(p) else split_suffix(p)[0] for p in paths]
    names: list[str] = []
    for path, name in zip(paths, short, strict=True):
        wanted = name if short.count(name) == 1 else f"{path.absolute().parent.name}_{name}"
        tries = (wanted, *(f"{wanted}_{i}" for i in range(2, len(paths) + 2)))
        names.append(next(t for t in tries if t not in names))
    return names
