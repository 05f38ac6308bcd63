"""The dtype that label values are stored in."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_unet_seg.errors import DataError

Array = np.ndarray[Any, np.dtype[Any]]


def smallest(labels: Any, name: str) -> Array:
    """Bring labels to the smallest of uint8, uint16 and uint32 that holds them all.

    Parameters
    ----------
    labels : array
        Integers or booleans, numpy or dask.
    name : str
        What to call them in the error message, their file for example.

    Raises
    ------
    DataError
        If they are not integers, or one is negative or above 2³² - 1.
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "bui":
        raise DataError(
            f"The labels for {name} are of type {array.dtype}; convert them to integers first."
        )
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise DataError(
            f"The labels for {name} reach from {low} to {high}; renumber them to values from 0 "
            "to 4294967295 first."
        )
    return np.ascontiguousarray(array.astype(np.min_scalar_type(high), copy=False))
