"""A box and its surroundings on a grid of fixed size, whatever the size of the box.

On it every box spans the same pixels, so that the time does not depend on the box, and so that the
shape that masks have within their boxes can be learned.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.correct.pixel_evidence import (
    finite,
    grey_histogram,
    grey_levels,
    grey_odds,
    least_contrast,
    log_odds,
)

if TYPE_CHECKING:
    Box = tuple[int, int, int, int]

Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 48
"""Pixels that a box spans along each axis of the grid."""
MARGIN = 12
"""Pixels of the grid around the box: a quarter of the box on each side."""
CHANNELS = 5
_REFINEMENTS = 2


def box_channels(image: Array, probability: Array, box: Box) -> Array:
    """What is known of each pixel in and around a box.

    Parameters
    ----------
    image, probability : array
        Grey values (Y, X), and the network's probabilities of the same shape.
    box : tuple of int
        Top, left, bottom, right in pixels, half open, within the image.

    Returns
    -------
    array
        (5, 72, 72), float32, of magnitude about 1: the log odds by the network, the grey values
        less their mean over their standard deviation, the log odds by the grey values' likelihood,
        those by the place in the box, and 1 inside the box.
    """
    from scipy.special import expit

    grey, probable = (on_grid(finite(a), box) for a in (image, probability))
    network, place, inside = log_odds(probable), _place(), _inside()
    levels = grey_levels(grey)
    odds, by_grey = 0.6 * place + 0.4 * network, np.zeros_like(place)
    for _ in range(_REFINEMENTS):
        foreground = expit(odds + by_grey) * inside
        histograms = (grey_histogram(levels, w) for w in (foreground, 1 - foreground))
        by_grey = grey_odds(levels, *histograms)
    normed = (grey - grey.mean()) / max(grey.std(), least_contrast(grey))
    parts = (network / 4, np.clip(normed, -3, 3), by_grey / 3, place / 4, inside)
    return np.stack(parts).astype(np.float32)


def from_grid(values: Array, box: Box) -> Array:
    """Values of the grid at the pixels of the box: (bottom - top, right - left)."""
    from scipy.ndimage import map_coordinates

    top, left, bottom, right = box
    places = [(np.arange(n) + 0.5) / n * SIDE - 0.5 + MARGIN for n in (bottom - top, right - left)]
    return map_coordinates(values, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")


def squared_radius(height: int, width: int) -> Array:
    """How far each pixel is from the centre: 1 on the ellipse inscribed in (height, width)."""
    y, x = (((np.arange(n) + 0.5) / n * 2 - 1) ** 2 for n in (height, width))
    return y[:, None] + x[None, :]


def on_grid(image: Array, box: Box) -> Array:
    """Sample an image at the grid of a box, without aliasing; beyond its border it goes on."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    places, around = zip(*(_axis(box[i], box[i + 2], image.shape[i]) for i in (0, 1)), strict=True)
    part = image[around]
    sigma = (max(box[2] - box[0], box[3] - box[1]) / SIDE - 1) / 2
    if sigma > 0:
        part = gaussian_filter(part, sigma)
    return map_coordinates(part, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")


def _axis(start: int, stop: int, length: int) -> tuple[Array, slice]:
    """Where the grid's pixels are within a part of an axis, and that part."""
    size = stop - start
    places = start + (np.arange(SIDE + 2 * MARGIN) + 0.5 - MARGIN) / SIDE * size - 0.5
    part = slice(max(0, start - size // 2 - 2), min(length, stop + size // 2 + 2))
    return places - part.start, part


@cache
def _place() -> Array:
    """Log odds by the place in the box, as the masks of 3000 tumours have them."""
    side = SIDE + 2 * MARGIN
    radius = squared_radius(side, side) * (side / SIDE) ** 2
    return np.maximum(3.2 - 4.3 * radius, -6).astype(np.float32)


@cache
def _inside() -> Array:
    """One inside the box, zero around it."""
    return np.pad(np.ones((SIDE, SIDE), np.float32), MARGIN)
