"""Names of the slices of a mask in a COCO file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

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
