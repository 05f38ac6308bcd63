"""Correction tools: operations on the labels of a slice or a volume, as arrays.

An operation is a function of the labels of one part of a mask and the part's index. A part is the
plane on screen; where a tool changes the whole mask, each volume is a part, or each slice of
independent images.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.arrays import Array
from napari_unet_seg.correct import shapes
from napari_unet_seg.correct.change import Change, change_to, join_changes, relabel
from napari_unet_seg.correct.interpolation import interpolate
from napari_unet_seg.events import Command, Progress
from napari_unet_seg.io.common.places import Part, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable

Operation = Callable[[Array, Part], Change]
"""Returns the change of a part from the labels and the index of the part."""


class ToolSettings(NamedTuple):
    """Category that a tool changes, and sizes."""

    value: int
    """Label value of the category."""
    locked: Collection[int]
    """Label values that must not change."""
    pixels: int
    """Size of the change, along the last axis."""
    spacing: tuple[float, ...]
    """Voxel size along the axes of a part."""
    over: Collection[int] = ()
    """Label values, none of them locked, over which the category may grow."""

    def change(self, labels: Array, mask: shapes.Mask) -> Change:
        """Return the change after which the category covers a mask."""
        return change_to(labels, mask, self.value, self.locked, self.over)


SHAPES: dict[str, Callable[[shapes.Mask, ToolSettings], shapes.Mask]] = {
    "grow": lambda mask, settings: shapes.grow(mask, settings.pixels, settings.spacing),
    "shrink": lambda mask, settings: shapes.shrink(mask, settings.pixels, settings.spacing),
    "smooth": lambda mask, settings: shapes.smooth(mask, settings.pixels, settings.spacing),
    "fill_holes": lambda mask, settings: shapes.fill_holes(mask),
    "close_gaps": lambda mask, settings: shapes.close_gaps(mask, settings.pixels, settings.spacing),
    "split": lambda mask, settings: shapes.split(mask, settings.pixels, settings.spacing),
    "keep_largest": lambda mask, settings: shapes.keep_largest(mask),
    "remove_small": lambda mask, settings: shapes.remove_small(mask, settings.pixels),
}
"""Tools that depend on the shape of the category only."""


def reshape(settings: ToolSettings, name: str) -> Operation:
    """Return the operation that changes the category's shape by one of `SHAPES`."""
    return lambda labels, _: settings.change(
        labels, SHAPES[name](labels == settings.value, settings)
    )


def merge(settings: ToolSettings, target: int) -> Operation:
    """Return the operation that turns the category into the category of label `target`."""
    return lambda labels, _: relabel(labels, settings.value, target, settings.locked)


def apply_threshold(settings: ToolSettings, probability: Array, level: float) -> Operation:
    """Return the operation that sets the category where its probability reaches a level.

    Parameters
    ----------
    settings : ToolSettings
        With the category.
    probability : array
        Probabilities of the category in 0…1, of the mask's shape; slices of zeros, which have no
        prediction, do not change.
    level : float
        Lowest probability of the category, in 0…1.
    """

    def operation(labels: Array, position: Part) -> Change:
        part = probability[position]
        predicted = probability[position[: probability.ndim - 2]].any((-2, -1))
        across = predicted.reshape(*predicted.shape, *(1,) * (part.ndim - predicted.ndim))
        mask = np.where(across, part >= level, labels == settings.value)
        return settings.change(labels, mask)

    return operation


def fill_between(
    settings: ToolSettings, accepted: Iterable[Place], only: int | None = None
) -> Operation:
    """Return the operation that interpolates the category between key slices of a volume.

    Parameters
    ----------
    settings : ToolSettings
        With the category.
    accepted : iterable of tuple of int
        Indices of the accepted slices, which are the key slices of their volumes. In a volume with
        fewer than two of them, the slices that hold the category are the key slices.
    only : int, optional
        The only slice to change; by default all slices between key slices.
    """
    positions = tuple(accepted)

    def operation(labels: Array, position: Part) -> Change:
        mask = labels == settings.value
        keys = [index[-1] for index in positions if index[:-1] == position]
        if len(keys) < 2:
            keys = np.flatnonzero(mask.any((1, 2))).tolist()
        if only is None:
            return settings.change(labels, interpolate(mask, keys))
        keys = [*sorted(k for k in keys if k < only)[-1:], *sorted(k for k in keys if k > only)[:1]]
        drawn = interpolate(mask, keys)[only]
        return settings.change(labels[only], drawn).at((only,))

    return operation


def apply_to_parts(
    labels: Array, axes: int, operation: Operation
) -> Generator[Progress | Change, Command | None, None]:
    """Apply an operation to the parts of a mask; after a stop there is no change.

    Parameters
    ----------
    labels : array
        The labels of the mask.
    axes : int
        Number of trailing axes of a part.
    operation : callable
        Of a tool.

    Yields
    ------
    Progress or Change
        After each part the number of parts done; at the end the change of the whole mask.
    """
    leading = labels.shape[:-axes]
    count, changes = math.prod(leading), []
    for place in np.ndindex(leading):
        changes.append(operation(labels[place], place).at(place))
        if (yield Progress(len(changes), count)) is Command.STOP:
            return
    yield join_changes(changes, labels.ndim)
