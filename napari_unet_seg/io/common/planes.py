"""Arrays that are written plane by plane, so that stored arrays need little memory."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.arrays import Array


class Planes:
    """An array with its axes in any order, for a writer that takes one plane after another.

    Parameters
    ----------
    array : array
        Of numpy or Zarr.
    order : sequence of int, optional
        Order of the axes; of an axis that is left out the first element is taken.
    dtype : dtype, optional
        Data type of the planes.

    Attributes
    ----------
    shape, ndim, dtype, nbytes
        As of a numpy array with the planes.
    """

    def __init__(self, array: Any, order: Sequence[int] | None = None, dtype: Any = None) -> None:
        self._array = array
        self._order = tuple(range(array.ndim) if order is None else order)
        self.dtype: np.dtype[Any] = np.dtype(dtype or array.dtype)
        self.shape = tuple(int(array.shape[axis]) for axis in self._order)
        self.ndim = len(self.shape)
        self.nbytes = prod(self.shape) * self.dtype.itemsize

    def transpose(self, order: Sequence[int]) -> Planes:
        """Return the array with its axes in another order, as numpy does."""
        return Planes(self._array, [self._order[axis] for axis in order], self.dtype)

    def __iter__(self) -> Iterator[Array]:
        """Yield the planes along the last two axes."""
        *leading, y, x = self._order
        for place in np.ndindex(self.shape[:-2]):
            index: list[Any] = [0] * self._array.ndim
            for axis, number in zip(leading, place, strict=True):
                index[axis] = number
            index[y] = index[x] = slice(None)
            plane = np.asarray(self._array[tuple(index)])
            yield np.ascontiguousarray(plane.T if y > x else plane, self.dtype)
