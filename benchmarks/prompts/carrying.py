"""Carrying a mask from slice to slice of a volume by the prompt network.

The mask of a slice gives the prompt for the slice beside it, and so on through the object until the
network finds nothing more of it, as masks are propagated through videos and volumes by Oh et al.
2019 ("Video object segmentation using space-time memory networks") and Ravi et al. 2024 ("SAM 2").
Between two slices that are given, the answers of both directions are weighed by the distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.arrays import Array

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

Probable = Callable[[int, Array], Array]
"""The network on a slice: from its index and the mask beside it (Y, X), bool, to the probabilities
of the same object (Y, X), float."""

LEAST = 10
"""Pixels of a mask that is carried on."""
_KEPT = 0.1
"""Share of the mask beside, grown by two pixels, that a mask must not fall below: less is the end
of the object, or another one."""
_THRESHOLD = 0.5


class Carried(NamedTuple):
    """The mask of a slice that was carried."""

    index: int
    mask: Array
    """(Y, X), bool; empty at the end of the object."""
    certainty: float
    """Mean of the probabilities' distance from chance on the mask and its border, 0…1."""


def carry(
    probable: Probable, given: Mapping[int, Array], within: range
) -> Generator[Carried, None, None]:
    """Carry masks through a volume.

    Parameters
    ----------
    probable : callable
        The prompt network.
    given : mapping of int to array
        Masks (Y, X), bool, by the index of their slice, which stay as they are.
    within : range
        Slices that may change; those outside are walls.

    Yields
    ------
    Carried
        Each slice between two given ones or beyond them, until the object ends.
    """
    starts = sorted(given)
    for low, high in zip([None, *starts], [*starts, None], strict=True):
        yield from _stretch(probable, given, within, low, high)


def _stretch(
    probable: Probable, given: Mapping[int, Array], within: range, low: int | None, high: int | None
) -> Generator[Carried, None, None]:
    """Carry into the slices between two given ones, or beyond the first or the last."""
    up: dict[int, Array] = {}
    if low is not None:
        indices = range(low + 1, within.stop if high is None else high)
        for index, answer in _walked(probable, given[low], indices, within):
            up[index] = answer
            if high is None:
                yield _judged(index, answer)
    if high is None:
        return
    indices = range(high - 1, within.start - 1 if low is None else low, -1)
    for index, answer in _walked(probable, given[high], indices, within):
        other = up.pop(index, None)
        if low is not None:
            share = (index - low) / (high - low)
            answer = share * answer + (1 - share) * (0.0 if other is None else other)
        yield _judged(index, answer)
    for index, answer in up.items():
        yield _judged(index, answer * (high - index) / (high - low) if low is not None else answer)


def _walked(
    probable: Probable, mask: Array, indices: range, within: range
) -> Generator[tuple[int, Array], None, None]:
    """Walk from a mask through slices until the object ends or a wall is reached."""
    for index in indices:
        if index not in within or np.count_nonzero(mask) < LEAST:
            return
        answer = probable(index, mask)
        found = answer >= _THRESHOLD
        if not _goes_on(found, mask):
            return
        yield index, answer
        mask = found


def _goes_on(found: Array, before: Array) -> bool:
    from scipy.ndimage import binary_dilation

    count = np.count_nonzero(found & binary_dilation(before, iterations=2))
    return count >= max(LEAST, _KEPT * np.count_nonzero(before))


def _judged(index: int, answer: Array) -> Carried:
    mask = answer >= _THRESHOLD
    seen = answer > 0.1
    certainty = float(np.abs(2 * answer[seen] - 1).mean()) if seen.any() else 0.0
    return Carried(index, mask, certainty)
