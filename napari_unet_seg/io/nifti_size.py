"""Sizes that the headers of NIfTI files claim, checked before memory is taken for them."""

# nibabel is typed in part only.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.openers import ImageOpener

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.unpacked import check_unpacked

if TYPE_CHECKING:
    from pathlib import Path

_DEFLATE_LIMIT = 1040
"""Largest expansion of a gzip stream; a header that claims more is damaged."""
_OFFSETS = {348: ("f", 108), 540: ("q", 168)}
"""Type and place of the offset of the voxels (vox_offset) of NIfTI-1 and NIfTI-2, by the size of
their headers."""
_LARGEST_HEADER = 2**26
"""Largest number of bytes before the voxels."""


def check_header(path: Path) -> None:
    """Check the size of the header with its extensions, which nibabel reads whole.

    A small compressed file can hold gigabytes of zeros there.

    Raises
    ------
    DataError
        If the size is larger than any in use.
    """
    with ImageOpener(str(path)) as file:
        start = file.read(max(_OFFSETS))
    for order in "<>":
        kind, place = _OFFSETS.get(struct.unpack(f"{order}i", start[:4])[0], ("", 0))
        offset = struct.unpack_from(order + kind, start, place)[0] if kind else 0
        if offset > _LARGEST_HEADER:
            raise DataError(
                f"{path} is damaged (its header claims to be {offset:.0f} bytes long); copy it "
                "again."
            )


def check_voxels(image: Any, path: Path) -> None:
    """Check that a file can hold the voxels that its header claims.

    Raises
    ------
    DataError
        If it cannot, or can hardly be meant to.
    """
    needed = int(np.prod(image.shape, dtype=object)) * image.get_data_dtype().itemsize
    available = path.stat().st_size * (_DEFLATE_LIMIT if path.suffix.lower() == ".gz" else 1)
    if needed > available:
        raise DataError(f"{path} is truncated or damaged (it lacks voxels); copy it again.")
    check_unpacked(path, needed)
