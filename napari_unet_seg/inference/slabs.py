"""Arrays that a prediction fills, in memory or on disk, and access to them slab by slab."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.io.common.optional_dependencies import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


DEPTH = 64
"""Slices of a slab across any axis, and voxels of a chunk along each axis."""


class ArrayFactory:
    """Makes arrays of zeros: in memory, or as Zarr in a folder.

    Parameters
    ----------
    folder : Path, optional
        Where the arrays are kept instead of in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def zeros(self, name: str, shape: tuple[int, ...], dtype: Any, chunks: tuple[int, ...]) -> Any:
        """Return an array of zeros: of numpy, or of Zarr with these chunks."""
        if self._folder is None:
            return np.zeros(shape, dtype)
        return require("zarr").create_array(
            self._folder / name, shape=shape, chunks=chunks, dtype=dtype, fill_value=0
        )

    def cubes(self, name: str, grid: tuple[int, ...], dtype: Any, *channels: int) -> Any:
        """Return an array of zeros with cubic chunks, for slices across any axis.

        Parameters
        ----------
        name : str
            Name of the Zarr array in the folder.
        grid : tuple of int
            Shape, of which the last three axes are Z, Y and X.
        dtype : data type
            Of numpy.
        *channels : int
            Number of channels, as a last axis, if there is one.
        """
        chunks = (*(1,) * (len(grid) - 3), *(min(n, DEPTH) for n in grid[-3:]), *channels)
        return self.zeros(name, (*grid, *channels), dtype, chunks)

    @contextmanager
    def scratch(self) -> Iterator[ArrayFactory]:
        """Yield a factory whose arrays are deleted at the end of the block."""
        if self._folder is None:
            yield ArrayFactory()
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="scratch-", dir=self._folder) as folder:
            yield ArrayFactory(Path(folder))


class Slabs:
    """Slices of one or more volumes across an axis, read and written in slabs.

    A slab of neighbouring slices of a stored array is held in memory, since each chunk of the
    array has a part of all these slices.

    Parameters
    ----------
    array : array
        Of numpy, Zarr or dask.
    axis : int
        Axis of `array` that the slices are counted along.
    leading : int
        Number of axes before Z, Y and X.
    depth : int
        Number of slices in a slab.

    Attributes
    ----------
    shape : tuple of int
        Shape of `array` with `axis` moved in front of the axes of a slice.
    """

    def __init__(self, array: Any, axis: int, leading: int, depth: int = DEPTH) -> None:
        self._array, self._axis, self._leading, self._depth = array, axis, leading, depth
        others = [int(n) for i, n in enumerate(array.shape) if i != axis]
        self.shape = (*others[:leading], int(array.shape[axis]), *others[leading:])
        self._index: tuple[Any, ...] = ()
        """Index of the slab in the array."""
        self._slab: Array | None = None
        self._changed = False

    def __getitem__(self, position: tuple[int, ...]) -> Array:
        """Return a slice of shape (Y, X), by its index along all axes before those of a slice."""
        *volume, number = position
        start = number - number % self._depth
        across = (slice(None),) * (self._axis - self._leading)
        index = (*volume, *across, slice(start, start + self._depth))
        if self._slab is None or index != self._index:
            self.flush()
            # Of a numpy array this is a view, so that nothing is copied or written back.
            slab = np.asarray(self._array[index])
            self._index, self._slab = index, np.moveaxis(slab, len(across), 0)
        plane: Array = self._slab[number - start]
        return plane

    def add(self, position: tuple[int, ...], values: Array) -> None:
        """Add values to a slice; they are stored by `flush`, or when another slab is accessed."""
        plane = self[position]
        plane += values
        self._changed = not isinstance(self._array, np.ndarray)

    def flush(self) -> None:
        """Store the values that were added to the current slab."""
        if self._changed and self._slab is not None:
            self._array[self._index] = np.moveaxis(self._slab, 0, self._axis - self._leading)
        self._changed = False
