"""Conversion between the number of a slice and its place along the leading axes.

Slices are numbered along all leading axes flattened, all axes but the last two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[int, ...]
"""Index of a slice along each leading axis."""


def place_at(index: int, leading: Sequence[int]) -> Place:
    """Return the place of a slice along axes of these lengths; `()` if there are none."""
    return tuple(int(i) for i in np.unravel_index(index, tuple(leading)))


def index_at(place: Place, leading: Sequence[int]) -> int:
    """Return the number of the slice at a place along axes of these lengths."""
    return int(np.ravel_multi_index(place, tuple(leading)))
