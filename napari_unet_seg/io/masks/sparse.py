"""Arrays of zeros that use memory only where values are written."""

from __future__ import annotations

import math
import mmap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


def sparse_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that use memory only where values are written, in pages of 4 KiB.

    `np.zeros` requests huge pages, so that one pixel per slice would use memory for all slices.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not size or not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return np.zeros(shape, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # kernels without huge pages refuse the advice
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, dtype).reshape(shape)
