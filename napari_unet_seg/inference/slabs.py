"""Arrays that a prediction fills, in memory or on disk, and volumes taken slab by slab."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.io.common.optional_dependencies import require

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, np.dtype[Any]]

DEPTH = 64
"""Slices of a slab, whichever way a volume is cut, and voxels of a chunk along each axis."""


class Arrays:
    """Makes arrays of zeros: in memory, or as Zarr in a folder.

    Parameters
    ----------
    folder : Path, optional
        Where the arrays are kept instead of in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def make(self, name: str, shape: tuple[int, ...], dtype: Any, chunks: tuple[int, ...]) -> Any:
        """Return a numpy array, or one of Zarr with these chunks."""
        if self._folder is None:
            return np.zeros(shape, dtype)
        return require("zarr").create_array(
            self._folder / name, shape=shape, chunks=chunks, dtype=dtype, fill_value=0
        )

    def cubes(self, name: str, grid: tuple[int, ...], dtype: Any, *channels: int) -> Any:
        """Return an array of a grid that ends with `ZYX`, as easy to cut across each of them."""
        chunks = (*(1,) * (len(grid) - 3), *(min(n, DEPTH) for n in grid[-3:]), *channels)
        return self.make(name, (*grid, *channels), dtype, chunks)

    @contextmanager
    def scratch(self) -> Iterator[Arrays]:
        """Give a maker of arrays that are gone at the end of the block."""
        if self._folder is None:
            yield Arrays()
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="scratch-", dir=self._folder) as folder:
            yield Arrays(Path(folder))


class Slabs:
    """A volume, or several, taken slice by slice across an axis.

    Of a stored one a few neighbouring slices are held at a time, since each chunk has a part of
    all of them.

    Parameters
    ----------
    array : array
        numpy, or of Zarr or dask.
    axis : int
        That the slices are counted along.
    counted : int
        Axes before those of a volume.
    depth : int
        Slices to hold.

    Attributes
    ----------
    shape : tuple of int
        With the axis moved to the front of the volume's.
    """

    def __init__(self, array: Any, axis: int, counted: int, depth: int = DEPTH) -> None:
        self._array, self._axis, self._counted, self._depth = array, axis, counted, depth
        others = [int(n) for i, n in enumerate(array.shape) if i != axis]
        self.shape = (*others[:counted], int(array.shape[axis]), *others[counted:])
        self._where: tuple[Any, ...] = ()
        self._held: Array | None = None
        self._changed = False

    def __getitem__(self, place: tuple[int, ...]) -> Array:
        """Return a slice, by its place along the axes before those of a slice."""
        *volume, number = place
        start = number - number % self._depth
        across = (slice(None),) * (self._axis - self._counted)
        where = (*volume, *across, slice(start, start + self._depth))
        if self._held is None or where != self._where:
            self.flush()
            # Of a numpy array this is a view, so that nothing is copied or written back.
            held = np.asarray(self._array[where])
            self._where, self._held = where, np.moveaxis(held, len(across), 0)
        plane: Array = self._held[number - start]
        return plane

    def add(self, place: tuple[int, ...], values: Array) -> None:
        """Add to a slice; it is stored by `flush`, or when another slab is come to."""
        plane = self[place]
        plane += values
        self._changed = not isinstance(self._array, np.ndarray)

    def flush(self) -> None:
        """Store what was added."""
        if self._changed and self._held is not None:
            self._array[self._where] = np.moveaxis(self._held, 0, self._axis - self._counted)
        self._changed = False
