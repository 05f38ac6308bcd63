"""Simulated prompts of a person: clicks, scribbles, boxes and lassos.

Prompts and the present mask are maps of shape (4, …) and dtype bool, in the order of the network's
input channels after the image. All functions take slices (Y, X) and volumes (Z, Y, X).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array

Rng = np.random.Generator

POSITIVE, NEGATIVE, BOX, PREVIOUS = range(4)
TREMOR = 2.0
"""Standard deviation in pixels of a click from its target point."""
_RADIUS = 5.01**0.5
"""Radius in pixels of a click: a square of five pixels without its corners."""
_SMALLEST = 12
"""Smallest number of pixels of an error that gets a prompt."""
_KINDS = ("click", "scribble", "box", "lasso", "negative")
_OFTEN = (0.5, 0.2, 0.15, 0.1, 0.05)


def no_prompts(shape: Sequence[int]) -> Array:
    """Return maps without a prompt and without a mask."""
    return np.zeros((4, *shape), bool)


def first_prompts(truth: Array, rng: Rng) -> Array:
    """Return maps with one to three random prompts for a target; without prompts if it is empty."""
    maps = no_prompts(truth.shape)
    if not truth.any():
        return maps
    count = rng.choice((1, 2, 3), p=(0.6, 0.25, 0.15))
    often = np.array(_OFTEN)
    for number in range(count):
        weights = often * (1, 1, 1, 1, number > 0)
        _give(rng.choice(_KINDS, p=weights / weights.sum()), maps, truth, rng)
    return maps


def _give(kind: str, maps: Array, truth: Array, rng: Rng) -> None:
    if kind == "click":
        click(maps, POSITIVE, _clicked(_point(truth, rng), rng))
    elif kind == "scribble":
        scribble(maps, POSITIVE, truth, rng)
    elif kind == "box":
        maps[BOX] |= box_around(truth, rng)
    elif kind == "lasso":
        maps[BOX] |= lasso(truth, rng)
    else:
        distance = ndimage.distance_transform_edt(~truth)
        around = (distance > 3) & (distance < 15)
        if around.any():
            click(maps, NEGATIVE, _clicked(anywhere(around, rng), rng))


def corrected(maps: Array, answer: Array, truth: Array, rng: Rng) -> Array:
    """Return maps with `answer` as the present mask, and a prompt on its largest error."""
    maps = maps.copy()
    maps[PREVIOUS] = answer
    channel, error = largest_error(answer, truth)
    if np.count_nonzero(error) < _SMALLEST:
        return maps
    if rng.random() < 0.25:
        scribble(maps, channel, error, rng)
    else:
        click(maps, channel, _clicked(_point(error, rng), rng))
    return maps


def largest_error(answer: Array, truth: Array) -> tuple[int, Array]:
    """Return the channel of the prompt for the largest connected error, and the error."""
    missing, excess = largest_part(truth & ~answer), largest_part(answer & ~truth)
    if np.count_nonzero(missing) >= np.count_nonzero(excess):
        return POSITIVE, missing
    return NEGATIVE, excess


def largest_part(mask: Array) -> Array:
    """Return the largest connected component of a mask."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))


def _point(region: Array, rng: Rng) -> Array:
    """Draw the target point of a click: in the centre, anywhere inside, or near the border."""
    chance = rng.random()
    if chance < 0.5:
        return middle(region)
    if chance < 0.8:
        return anywhere(region, rng)
    rim = region & ~ndimage.binary_erosion(region, iterations=2)
    return anywhere(rim if rim.any() else region, rng)


def middle(region: Array) -> Array:
    """Return the point furthest from the border of a region's largest component."""
    part = largest_part(region)
    (window,) = ndimage.find_objects(part.astype(np.uint8))
    depth = ndimage.distance_transform_edt(np.pad(part[window], 1))
    place = np.array(np.unravel_index(np.argmax(depth), depth.shape)) - 1
    return np.asarray(place + [side.start for side in window])


def anywhere(region: Array, rng: Rng) -> Array:
    """Draw a random point of a region."""
    flat = np.flatnonzero(region)
    return np.array(np.unravel_index(rng.choice(flat), region.shape))


def _clicked(point: Array, rng: Rng) -> Array:
    """Draw the point that a hand of random steadiness hits."""
    return trembling(point, rng, rng.uniform(0, TREMOR))


def trembling(point: Array, rng: Rng, tremor: float = TREMOR) -> Array:
    """Draw the point that a hand hits when it aims at a point."""
    return np.asarray(point + rng.normal(0, 1, len(point)) * tremor)


def click(maps: Array, channel: int, point: Array, scale: float = 1.0) -> None:
    """Draw a disc or ball at a point, which is clipped to the image.

    Its radius is a little over 2 at the size of training, to which an image is `scale` times as
    large.
    """
    place = np.clip(np.rint(point).astype(int), 0, np.array(maps.shape[1:]) - 1)
    reach = int(_RADIUS * scale)
    window = tuple(slice(max(0, p - reach), p + reach + 1) for p in place)
    grid = np.ogrid[
        tuple(slice(w.start, min(w.stop, n)) for w, n in zip(window, maps.shape[1:], strict=True))
    ]
    disc = sum((g - p) ** 2 for g, p in zip(grid, place, strict=True)) <= (_RADIUS * scale) ** 2
    _mark(maps, channel, window, disc)


def _mark(maps: Array, channel: int, window: tuple[slice, ...], mark: Array) -> None:
    """Add pixels to a channel, and remove them from the opposite channel."""
    maps[channel][window] |= mark
    maps[NEGATIVE if channel == POSITIVE else POSITIVE][window] &= ~mark


def scribble(maps: Array, channel: int, region: Array, rng: Rng) -> None:
    """Draw a stroke three pixels wide along a part of the skeleton of the largest component."""
    part = largest_part(region)
    (window,) = ndimage.find_objects(part.astype(np.uint8))
    padded = np.pad(part[window], 1)
    line = skeletonize(padded) > 0  # type: ignore[no-untyped-call]
    if not line.any():  # thinning may remove a small volume completely
        line[tuple(middle(padded))] = True
    start = anywhere(line, rng)
    reach = rng.uniform(0.15, 0.8) * max(line.shape)
    grid = np.ogrid[tuple(slice(n) for n in line.shape)]
    near = sum((g - p) ** 2 for g, p in zip(grid, start, strict=True)) <= max(3.0, reach) ** 2
    stroke = ndimage.binary_dilation(line & near)[(slice(1, -1),) * line.ndim]
    _mark(maps, channel, window, stroke)


def box_around(region: Array, rng: Rng, careless: float = 0.05) -> Array:
    """Return a filled box around a region; each side is off by about `careless` of its length."""
    box = np.zeros(region.shape, bool)
    window = ndimage.find_objects(region.astype(np.uint8))[0]
    sides = []
    for side, size in zip(window, region.shape, strict=True):
        slip = rng.normal(0, 1 + careless * (side.stop - side.start), 2)
        start = int(np.clip(side.start + slip[0], 0, size - 1))
        sides.append(slice(start, max(start + 1, round(side.stop + slip[1]))))
    box[tuple(sides)] = True
    return box


def lasso(region: Array, rng: Rng) -> Array:
    """Return the area inside a loose line around a region."""
    distance = ndimage.distance_transform_edt(~region)
    width = rng.uniform(1, 8)
    loose = distance <= width * (1 + 0.5 * smooth_noise(region.shape, 6.0, rng))
    return np.asarray(ndimage.binary_fill_holes(loose | region))


def smooth_noise(shape: Sequence[int], scale: float, rng: Rng) -> Array:
    """Return noise of mean 0 and standard deviation 1, smooth over about `scale` pixels."""
    knots = [max(4, round(n / scale) + 3) for n in shape]
    coarse = rng.normal(0, 1.5, knots)
    zoomed = ndimage.zoom(coarse, [n / k for n, k in zip(shape, knots, strict=True)], order=1)
    return np.asarray(zoomed)
