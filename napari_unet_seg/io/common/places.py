"""Conversion between the number of a slice and its place along the leading axes.

Slices are numbered along all leading axes flattened, all axes but the last two.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeGuard, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_T = TypeVar("_T")

Place = tuple[int, ...]
"""Index of a slice along each leading axis."""

Part = tuple[int | slice, ...]
"""Index of a plane of an array, with a whole slice along each axis of the plane but trailing ones.

The part of a slice of the last two axes is its place.
"""


def is_place(part: Part) -> TypeGuard[Place]:
    """Whether a part is a slice along the last two axes."""
    return not any(isinstance(index, slice) for index in part)


def of_part(values: Sequence[_T], part: Part) -> tuple[_T, ...]:
    """Return those of an array's values along each axis, lengths for example, of a part's axes."""
    whole = zip(values, (*part, *[slice(None)] * (len(values) - len(part))), strict=True)
    return tuple(value for value, index in whole if isinstance(index, slice))


def crossed_places(part: Part, leading: Sequence[int]) -> Iterator[Place]:
    """Iterate over the places of the slices that a part crosses, along leading axes of lengths."""
    axes = (*part, *[slice(None)] * (len(leading) - len(part)))[: len(leading)]
    along = zip(axes, leading, strict=True)
    return product(*(range(n) if isinstance(index, slice) else (index,) for index, n in along))


def place_at(index: int, leading: Sequence[int]) -> Place:
    """Return the place of a slice along axes of these lengths; `()` if there are none."""
    return tuple(int(i) for i in np.unravel_index(index, tuple(leading)))


def index_at(place: Place, leading: Sequence[int]) -> int:
    """Return the number of the slice at a place along axes of these lengths."""
    return int(np.ravel_multi_index(place, tuple(leading)))
