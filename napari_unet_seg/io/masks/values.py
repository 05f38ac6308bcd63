"""Meaning of the values of a mask of any program: labels, two levels, or soft edges."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.masks.labels import smallest

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array

_TOPS = (1, 255, 65535)
"""Values that programs write for the object in a mask of two levels."""
_END = 1 / 16
"""Share of the range from 0 to the top that is an end of it, at either side."""
_HIGH = 4
"""A mask with soft edges has at most four pixels between the ends for one at the upper end."""
_FEW = 8
"""Most values beside the two levels that are labels in any case."""
_MANY = 32
"""Most values of a mask without flat areas: so many tiny objects may be numbered."""
_SMALLEST_IMAGE = 1024
"""Pixels from which on a lack of flat areas shows that an array is no mask."""
_FLAT = 0.1
"""Share of the pixels of labels that are surrounded by their own label, at least."""
_SAMPLED_SLICES = 64
_WHOLE = 1e-3


class Meaning(Enum):
    """What the values of a mask are."""

    TWO_LEVELS = "two levels"
    """Only 0 and one of the tops."""
    LABELS = "labels"
    SOFT = "soft edges"
    """Two levels, and grey values along the edges between them."""
    GREY = "grey values"
    """Neither labels nor a mask: an image."""


class Reading(NamedTuple):
    """Meaning of a mask's values, and the value of the object in a mask of two levels."""

    meaning: Meaning
    top: int


def classify(values: Array, name: str) -> Reading:
    """Find out what the values of a mask mean, from the values alone.

    A mask has soft edges if it holds many values, most of them at the two ends of the range, and
    no flat areas between the ends. Labels have flat areas, and grey images few pixels at the upper
    end. Few values are labels.

    Parameters
    ----------
    values : array
        Numbers of any dtype; the last two axes are a slice.
    name : str
        Name for the error message, for example of their file.

    Raises
    ------
    DataError
        If a float is not finite, or a float's dtype cannot tell it from the next whole number.
    """
    if values.dtype.kind == "f":
        _check_exact(values, name)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    top = next((top for top in _TOPS if high <= top), 0)
    whole = is_whole(values)
    if low < 0 or not top:
        return Reading(Meaning.LABELS if whole else Meaning.GREY, top)
    between = _count_between(values, top) if whole else 0
    if whole and between <= _FEW:
        return Reading(Meaning.LABELS if between else Meaning.TWO_LEVELS, top)
    sampled = _sampled(values)
    if _has_flat_areas(sampled, top):
        return Reading(Meaning.LABELS if whole else Meaning.GREY, top)
    if _is_at_ends(sampled, top):
        return Reading(Meaning.SOFT, top)
    is_image = between > _MANY and values.size >= _SMALLEST_IMAGE
    return Reading(Meaning.GREY if is_image or not whole else Meaning.LABELS, top)


def to_labels(values: Array, reading: Reading, name: str) -> Array:
    """Convert the values of a mask to labels of the smallest unsigned dtype.

    Two levels and soft edges are cut at half of the top, and become 0 and 1.

    Raises
    ------
    DataError
        If the values are no mask, or labels are negative or above 2³² - 1.
    """
    if reading.meaning in (Meaning.TWO_LEVELS, Meaning.SOFT):
        return (values >= reading.top / 2).astype(np.uint8)
    if not is_whole(values):
        raise DataError(f"{name} holds fractions instead of labels; choose the file of a mask.")
    if reading.meaning is Meaning.GREY:
        raise DataError(
            f"{name} holds the grey values of an image instead of labels; give a mask of whole "
            "labels from 0, one for each category, or of 0 and 255, whose edges may be soft."
        )
    whole = np.rint(values).astype(np.int64) if values.dtype.kind == "f" else values
    return smallest(whole, name)


def meant_labels(values: Array, name: str) -> Array:
    """Return the labels of whole numbers without categories, which are as they are in most cases.

    Two levels and soft edges are cut at half. Only an array that reaches a top is looked at.
    """
    if int(values.max(initial=0)) not in _TOPS[1:]:
        return values
    reading = classify(values, name)
    is_cut = reading.meaning in (Meaning.TWO_LEVELS, Meaning.SOFT)
    return to_labels(values, reading, name) if is_cut else values


def lossy_mask(path: Path) -> DataError:
    """Return the error for a mask that JPEG has compressed."""
    return DataError(
        f"{path} is a JPEG, which blurs the labels of a mask; save the mask as PNG or TIFF."
    )


def is_whole(values: Array) -> bool:
    """Whether numbers are whole; scaled floats may be off by a thousandth."""
    if values.dtype.kind != "f":
        return True
    return bool(np.abs(values - np.rint(values)).max(initial=0) <= _WHOLE)


def _check_exact(values: Array, name: str) -> None:
    if not np.isfinite(values).all():
        raise DataError(f"{name} holds values that are no numbers, such as NaN; set them to 0.")
    limit = 2 ** (np.finfo(values.dtype).nmant + 1)
    if values.size and values.max() > limit:
        raise DataError(
            f"{name} stores labels above {limit} as {values.dtype}, which cannot tell neighbouring "
            "labels apart; save the mask as integers."
        )


def _count_between(values: Array, top: int) -> int:
    """Return the number of different whole numbers above 0 and below the top."""
    highest = round(float(values.max(initial=0)))
    if highest <= _FEW:
        return highest if highest < top else 0  # no more than these, which are labels in any case
    whole = np.rint(values) if values.dtype.kind == "f" else values
    counts = np.bincount(whole.astype(np.uint16).ravel(), minlength=top + 1)
    return int(np.count_nonzero(counts[1:top]))


def _sampled(values: Array) -> Array:
    """Return slices of a volume, evenly spaced; a slice is returned as it is."""
    if values.ndim < 3:
        return np.atleast_2d(values)
    slices = values.reshape(-1, *values.shape[-2:])
    return slices[:: -(-len(slices) // _SAMPLED_SLICES)]


def _is_at_ends(values: Array, top: int) -> bool:
    """Whether most pixels are at the two ends, and not too few at the upper end."""
    low, high = (values < _END * top), (values > (1 - _END) * top)
    at_low, at_high = np.count_nonzero(low), np.count_nonzero(high)
    between = values.size - at_low - at_high
    return bool(at_low + at_high > between and _HIGH * at_high >= between)


def _has_flat_areas(values: Array, top: int) -> bool:
    """Whether a share of the pixels between the levels equals its four neighbours in the slice.

    Pixels at the ends do not count if there are others, since an image may be dark, and a mask with
    soft edges just below its top, over a large area.
    """
    chosen = (values >= _END * top) & (values <= (1 - _END) * top)
    if not chosen.any():
        chosen = (values != 0) & (values != top)
    inner = (..., slice(1, -1), slice(1, -1))
    flat = chosen[inner].copy()
    for rows, columns in (
        (slice(None, -2), slice(1, -1)),
        (slice(2, None), slice(1, -1)),
        (slice(1, -1), slice(None, -2)),
        (slice(1, -1), slice(2, None)),
    ):
        flat &= values[inner] == values[..., rows, columns]
    return bool(np.count_nonzero(flat) > _FLAT * np.count_nonzero(chosen))
