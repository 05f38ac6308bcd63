"""Arrays of zeros that take memory only where something is written."""

from __future__ import annotations

import math
import mmap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


def sparse_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that take memory only where something is written, 4 KiB at a time.

    `np.zeros` asks for huge pages, so that one pixel a slice would take the whole stack's memory.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not size or not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return np.zeros(shape, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # kernels built without huge pages do not know the advice
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, dtype).reshape(shape)
