"""Scans that are read slice by slice and keep count of it, and what prediction holds meanwhile."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import torch

from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator


class CountedSlices:
    """A volume of noise, uint16, that makes a slice when it is asked for one."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape, self.dtype, self.ndim = shape, np.dtype(np.uint16), 3
        self.reads: Counter[int] = Counter()
        self.asked = 0
        self.alive = self.most_alive = 0

    def __getitem__(self, place: Any) -> np.ndarray[Any, Any]:
        numbers = np.arange(self.shape[0])[place[0]]
        self.reads.update(numbers.ravel().tolist())
        self.asked += 1
        planes = np.array([noise(number, self.shape[1:]) for number in numbers.ravel()])
        self.alive += numbers.size
        self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(planes, self._freed, numbers.size)
        return planes.reshape(*numbers.shape, *self.shape[1:])[(..., *place[1:])]

    def _freed(self, count: int) -> None:
        self.alive -= count

    def scan(self, depth: int = 1) -> Scan:
        """Return a scan in chunks of whole slices."""
        return Scan(da.from_array(self, (depth, *self.shape[1:])), "ZYX")

    def in_memory(self) -> Scan:
        """Return the same as one numpy array."""
        return Scan(
            np.stack([noise(number, self.shape[1:]) for number in range(self.shape[0])]), "ZYX"
        )


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return a slice."""
    return np.random.default_rng(seed).integers(0, 2000, shape, np.uint16)


def tensor_bytes() -> int:
    """Return the bytes of the tensors that somebody holds."""
    storages = (t.untyped_storage() for t in gc.get_objects() if type(t) is torch.Tensor)
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


@contextmanager
def watched() -> Iterator[None]:
    """Let `tensor_bytes` and tracemalloc count what is taken from now on, by torch and by numpy."""
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
        gc.unfreeze()
