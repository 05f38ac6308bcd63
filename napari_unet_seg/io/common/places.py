"""Slices by their number, counted along all leading axes flattened, and by their place there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[int, ...]
"""Where a slice lies along the leading axes, all but the last two."""


def place_at(index: int, leading: Sequence[int]) -> Place:
    """Return where a slice lies along axes of these lengths; nowhere, `()`, along none."""
    return tuple(int(i) for i in np.unravel_index(index, tuple(leading)))


def index_at(place: Place, leading: Sequence[int]) -> int:
    """Return the number of the slice that lies there; 0 along no axes."""
    return int(np.ravel_multi_index(place, tuple(leading)))
