"""What each tool does to the labels of a slice or a volume; knows nothing of layers.

The work of a tool is a function of the labels of one part and the part's place along the leading
axes. A part is the slice on screen or, of the whole, a volume; of single images a slice again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.correct import shapes
from napari_unet_seg.correct.apply import Change, change_to, joined, relabel
from napari_unet_seg.correct.between import interpolate

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator

    from napari_unet_seg.events import Command

Array = np.ndarray[Any, np.dtype[Any]]
Place = tuple[int, ...]
Work = Callable[[Array, Place], Change]


class Aim(NamedTuple):
    """What a tool is to change, and by how much."""

    value: int
    """Label value of the category."""
    locked: Collection[int]
    """Label values that must not change."""
    pixels: int
    spacing: tuple[float, ...]
    """Along the axes of a part."""

    def change(self, labels: Array, mask: shapes.Mask) -> Change:
        """Return what changes when the category is to cover a mask."""
        return change_to(labels, mask, self.value, self.locked)


SHAPES: dict[str, Callable[[shapes.Mask, Aim], shapes.Mask]] = {
    "grow": lambda mask, aim: shapes.grow(mask, aim.pixels, aim.spacing),
    "shrink": lambda mask, aim: shapes.shrink(mask, aim.pixels, aim.spacing),
    "smooth": lambda mask, aim: shapes.smooth(mask, aim.pixels, aim.spacing),
    "fill_holes": lambda mask, aim: shapes.fill_holes(mask),
    "close_gaps": lambda mask, aim: shapes.close_gaps(mask, aim.pixels, aim.spacing),
    "split": lambda mask, aim: shapes.split(mask, aim.pixels, aim.spacing),
    "keep_largest": lambda mask, aim: shapes.keep_largest(mask),
    "remove_small": lambda mask, aim: shapes.remove_small(mask, aim.pixels),
}
"""Tools that see nothing but the category's own shape."""


def reshape(aim: Aim, name: str) -> Work:
    """Change the category's shape by one of `SHAPES`."""
    return lambda labels, _: aim.change(labels, SHAPES[name](labels == aim.value, aim))


def merge(aim: Aim, target: int) -> Work:
    """Make the category part of another one."""
    return lambda labels, _: relabel(labels, aim.value, target, aim.locked)


def cut(aim: Aim, probability: Array, level: float) -> Work:
    """Let the category be where it is at least so probable; slices without a map stay."""

    def work(labels: Array, place: Place) -> Change:
        likely = probability[place]
        known = likely.any((-2, -1), keepdims=True)
        return aim.change(labels, np.where(known, likely >= level, labels == aim.value))

    return work


def fill_between(aim: Aim, accepted: Iterable[Place], only: int | None = None) -> Work:
    """Draw the category between key slices of a volume.

    Parameters
    ----------
    aim : Aim
        With the category.
    accepted : iterable of tuple of int
        Places of the slices that are right. Where a volume has fewer than two of them, the keys
        are the slices that hold the category.
    only : int
        The one slice to draw; by default all.
    """
    places = tuple(accepted)

    def work(labels: Array, place: Place) -> Change:
        mask = labels == aim.value
        keys = [where[-1] for where in places if where[:-1] == place]
        if len(keys) < 2:
            keys = np.flatnonzero(mask.any((1, 2))).tolist()
        if only is None:
            return aim.change(labels, interpolate(mask, keys))
        keys = [*sorted(k for k in keys if k < only)[-1:], *sorted(k for k in keys if k > only)[:1]]
        drawn = interpolate(mask, keys)[only]
        return aim.change(labels[only], drawn).at((only,))

    return work


def parts_of(labels: Array, axes: int) -> Iterator[tuple[Place, Array]]:
    """Return all parts of so many axes of a mask, each after its place."""
    return ((place, labels[place]) for place in np.ndindex(labels.shape[:-axes]))


def over_parts(
    parts: Iterable[tuple[Place, Array]], ndim: int, work: Work
) -> Generator[int | Change, Command | None, None]:
    """Do the work on parts of a mask.

    Parameters
    ----------
    parts : iterable of tuple
        Place and labels of each.
    ndim : int
        Axes of the mask.
    work : callable
        Of a tool.

    Yields
    ------
    int or Change
        How many parts are done, after each of them; then what changes in all.
    """
    changes = []
    for place, labels in parts:
        changes.append(work(labels, place).at(place))
        yield len(changes)
    yield joined(changes, ndim)
