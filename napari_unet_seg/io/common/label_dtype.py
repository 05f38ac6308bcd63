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
    return np.ascontiguousarray(array.astype(smallest_type(array, name), copy=False))


def smallest_type(labels: Any, name: str) -> np.dtype[Any]:
    """Return the smallest of uint8, uint16 and uint32 that holds all labels; see `smallest`.

    A dask array is gone through in pieces.
    """
    if labels.dtype.kind not in "bui":
        raise DataError(
            f"The labels for {name} are of type {labels.dtype}; convert them to integers first."
        )
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise DataError(
            f"The labels for {name} reach from {low} to {high}; renumber them to values from 0 "
            "to 4294967295 first."
        )
    return np.min_scalar_type(high)


def from_stored(array: Any, name: str) -> Array:
    """Return labels that a file holds as numbers of any type, in the smallest dtype.

    NIfTI files often store labels as floats, scaled ones among them, so that a one reads as
    0.99999997.

    Raises
    ------
    DataError
        If a value is no whole number, or out of range.
    """
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return smallest(array, name)
    whole = np.rint(array)
    if not np.allclose(array, whole, rtol=0, atol=1e-3):
        raise DataError(f"{name} holds fractions and not labels; choose the mask's file.")
    return smallest(whole.astype(np.int64), name)
