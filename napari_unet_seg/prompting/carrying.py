"""Carrying a mask from slice to slice of a volume by the prompt network.

The mask of a slice gives the prompt for the slice beside it, and so on through the object until the
network finds nothing more of it, as masks are propagated through videos and volumes by Oh et al.
2019 ("Video object segmentation using space-time memory networks") and Ravi et al. 2024 ("SAM 2").
Between two slices that are given, the shapes interpolated between their masks give the prompts: no
error adds up there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.arrays import Array
from napari_unet_seg.correct.interpolation import between, signed_distance
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Iterator, Mapping, Sequence

Probable = Callable[[int, Array], Array]
"""The network on a slice: from its index and a lasso around the object (Y, X), bool, to the
probabilities of the object (Y, X), float."""
Grey = Callable[[int], Array]
"""The grey values (Y, X) of a slice."""

LEAST = 10
"""Pixels of a mask that is carried on."""
KEPT = 0.1
"""Share of the mask beside, grown by two pixels, that a mask must not fall below: less is the end
of the object, or another one."""
CONTRAST = 0.55
"""Share of the contrast of the slice that was started from, below which what is found is no longer
the object: its surroundings."""
RING = 8
"""Width in pixels of the surroundings that the contrast is taken against."""
VISIBLE = 0.25
"""Contrast, in standard deviations of the surroundings, below which grey values tell nothing."""
GROWTH, GROWN = 2.5, 60
"""A mask of more pixels than so many times those of the mask beside, and so many more, is something
larger that begins there."""
OUTWARDS, BETWEEN = 0, 2
"""Pixels by which the mask beside, and the shape between two given masks, are grown to a lasso. A
loose lasso grows from slice to slice; between two masks there is nothing to grow."""
FADING = 0.97
"""Share of the certainty that is left with each slice further from a given one: errors add up. It
was chosen for the rank correlation with the Dice on LGG and BraTS, 0.61 after 0.41 without."""
_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The mask of a slice that was carried."""

    index: int
    mask: Array
    """(Y, X), bool; empty where the object has ended on closer look."""
    certainty: float
    """Mean of the probabilities' distance from chance on the mask and its border, 0…1, which
    fades with the distance from the next given slice."""


def carry(
    probable: Probable,
    grey: Grey,
    given: Mapping[int, Array],
    within: Container[int],
    ends: Mapping[int, Array] | None = None,
) -> Generator[Carried, None, None]:
    """Carry masks through a volume.

    Parameters
    ----------
    probable : callable
        The prompt network.
    grey : callable
        The slices, by which the end of the object is found too.
    given : mapping of int to array
        Masks (Y, X), bool, by the index of their slice, which stay as they are.
    within : container of int
        Slices that may change; those outside are walls.
    ends : mapping of int to array, optional
        Masks of walls, which may hold other objects too. What one holds of the object counts as
        given.

    Yields
    ------
    Carried
        Each slice that the object goes on in. Before an end that holds the object a slice may come
        again: the later one holds.
    """
    walk = _Walk(probable, grey, within, frozenset(given))
    starts = sorted(given)
    if not starts:
        return
    yield from _outwards(walk, starts[0], -1, given, ends or {})
    for low, high in pairwise(starts):
        shapes = _shapes(given[low], given[high], high - low)
        if not all(index in within for index in range(low + 1, high)):
            yield from _outwards(walk, low, 1, given, ends or {})
            yield from _outwards(walk, high, -1, given, ends or {})
        elif shapes:
            yield from _between(walk, low, shapes)
        else:
            half = (low + high + 1) // 2
            yield from _outwards(walk._replace(within=range(low, half)), low, 1, given, {})
            yield from _outwards(walk._replace(within=range(half, high)), high, -1, given, {})
    yield from _outwards(walk, starts[-1], 1, given, ends or {})


class _Walk(NamedTuple):
    """Walks from a mask to one side until the object ends or a wall is reached."""

    probable: Probable
    grey: Grey
    within: Container[int]
    given: frozenset[int]

    def is_wall(self, index: int) -> bool:
        """Whether a slice must not change."""
        return index in self.given or index not in self.within

    def start(self, start: int, mask: Array, by: int) -> Iterator[tuple[int, Array]]:
        """Yield the probabilities of each slice that the object goes on in."""
        is_object = _Appearance.of(self.grey(start), mask)
        for index in count(start + by, by):
            if self.is_wall(index) or np.count_nonzero(mask) < LEAST:
                return
            answer = self.probable(index, _grown(mask, OUTWARDS))
            seen = answer >= _THRESHOLD
            found = _parts_at(seen, mask)
            if not (_goes_on(found, mask) and is_object.like(self.grey(index)[found])):
                return
            yield index, np.where(seen & ~found, 0, answer)  # elsewhere are other objects
            mask = found


class _Appearance(NamedTuple):
    """The grey of the object and of its surroundings on the slice that was started from."""

    inside: float
    around: float
    spread: float
    """Standard deviation of the surroundings."""

    @classmethod
    def of(cls, image: Array, mask: Array) -> _Appearance:
        from scipy.ndimage import binary_dilation

        ring = binary_dilation(mask, iterations=RING) & ~binary_dilation(mask, iterations=2)
        if not (mask.any() and ring.any()):
            return cls(0.0, 0.0, 1.0)
        around = image[ring].astype(float)
        return cls(float(image[mask].mean()), float(around.mean()), float(around.std()))

    def like(self, values: Array) -> bool:
        """Whether grey values are those of the object, not of its surroundings."""
        contrast = self.inside - self.around
        if abs(contrast) <= VISIBLE * self.spread:
            return True
        return bool((values.mean() - self.around) / contrast >= CONTRAST)


def _goes_on(found: Array, before: Array) -> bool:
    """Whether a mask is the same object as the mask beside."""
    from scipy.ndimage import binary_dilation

    size = np.count_nonzero(before)
    if np.count_nonzero(found) > GROWTH * size + GROWN:
        return False
    shared = np.count_nonzero(found & binary_dilation(before, iterations=2))
    return bool(shared >= max(LEAST, KEPT * size))


def _outwards(
    walk: _Walk, start: int, by: int, given: Mapping[int, Array], ends: Mapping[int, Array]
) -> Generator[Carried, None, None]:
    """Carry to one side, and interpolate to the wall there if it holds the object."""
    mask = given[start]
    for index, answer in walk.start(start, mask, by):
        found = _judged(index, answer, abs(index - start))
        mask = found.mask
        yield found
    wall = next(index for index in count(start + by, by) if walk.is_wall(index))
    if wall in ends:
        low, high = sorted((start, wall))
        masks = {start: given[start], wall: _parts_at(ends[wall], mask)}
        yield from _between(walk, low, _shapes(masks[low], masks[high], high - low))


def _between(walk: _Walk, low: int, shapes: Sequence[Array]) -> Generator[Carried, None, None]:
    """Find the object on the slices above a given one by its shapes there."""
    for index, shape in enumerate(shapes, low + 1):
        answer = walk.probable(index, _grown(shape, BETWEEN))
        seen = answer >= _THRESHOLD
        own = np.where(seen & ~_parts_at(seen, shape), 0, answer)
        yield _judged(index, own, min(index - low, low + len(shapes) + 1 - index))


def _shapes(first: Array, last: Array, steps: int) -> list[Array]:
    """Return the shapes between two masks, so many slices apart; none if the masks lie apart."""
    box = box_of(first | last, 1)
    if box is None or not (first.any() and last.any()):
        return []
    sides = signed_distance(first[box]), signed_distance(last[box])
    shapes = []
    for step in range(1, steps):
        shape = np.zeros_like(first)
        shape[box] = between(*sides, step / steps)
        if np.count_nonzero(shape) < LEAST:
            return []
        shapes.append(shape)
    return shapes


def _grown(mask: Array, pixels: int) -> Array:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask, iterations=pixels)) if pixels else mask


def _parts_at(mask: Array, mark: Array) -> Array:
    """Return the connected parts of a mask at a mark."""
    from scipy.ndimage import binary_dilation, label

    parts, _ = label(mask)
    met = np.unique(parts[binary_dilation(mark, iterations=2)])
    return np.isin(parts, met[met > 0])


def certainty_of(answer: Array) -> float:
    """Return the mean distance from chance of the probabilities of an object and its border."""
    seen = answer > 0.1
    return float(np.abs(2 * answer[seen] - 1).mean()) if seen.any() else 0.0


def _judged(index: int, answer: Array, away: int) -> Carried:
    """Judge an answer so many slices away from a given one."""
    return Carried(index, answer >= _THRESHOLD, certainty_of(answer) * FADING**away)


def beyond(carried: Container[int], holding: Container[int], end: int) -> list[int]:
    """Return the slices of an object that was carried further than it reaches.

    Parameters
    ----------
    carried, holding : container of int
        Slices that were carried, and those that hold the object.
    end : int
        A slice without the object, beside which it ends.

    Returns
    -------
    list of int
        The slices next to the end that were carried, on each side on which they lead to no slice
        that a person gave.
    """
    found = []
    for by in (-1, 1):
        index, run = end + by, []
        while index in carried and index in holding:
            run.append(index)
            index += by
        if index not in holding:
            found += run
    return found
