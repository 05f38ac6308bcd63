"""Checks of a TIFF before its pixels are read: a damaged file is refused, and takes no memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import can_hold
from napari_unet_seg.io.disk.unpacked import check_unpacked

if TYPE_CHECKING:
    from pathlib import Path


def check_pages(file: tifffile.TiffFile, path: Path) -> None:
    """Refuse a file with a truncated chain of pages, of which tifffile reads only a part."""
    form, handle = file.tiff, file.filehandle
    handle.seek(file.pages[-1].offset)
    (tags,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
    handle.seek(tags * form.tagsize, 1)
    (following,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
    if following:
        raise DataError(
            f"{path} is truncated or damaged after {len(file.pages)} pages; copy it again."
        )


def check_size(series: tifffile.TiffPageSeries, size: int, path: Path) -> None:
    """Refuse a damaged header that claims more than the file holds."""
    plain = series.keyframe.compression == tifffile.COMPRESSION.NONE
    # Samples of 1, 12 or 24 bits for example are stored without gaps.
    packed = series.size * float(np.mean(series.keyframe.bitspersample)) // 8
    if not (packed <= size if plain else can_hold(size, series.nbytes)):
        raise DataError(f"{path} is truncated or damaged (it lacks pixels); copy it again.")
    check_unpacked(path, series.nbytes)


def check_whole(series: tifffile.TiffPageSeries, size: int, path: Path) -> None:
    """Refuse a truncated file, whose missing parts tifffile fills with zeros."""
    for page in series.pages:
        if page is None:
            continue
        places = zip(page.dataoffsets, page.databytecounts, strict=False)
        end = max((offset + count for offset, count in places), default=0)
        if end > size:
            raise DataError(f"{path} is truncated ({size} of {end} bytes); copy it again.")
