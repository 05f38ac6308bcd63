"""A box and its surroundings, resampled to a grid of fixed size.

On the grid every box spans the same number of pixels, so that the computing time does not depend on
the box, and a network can learn the shapes that masks have within their boxes.
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
"""Pixels of the grid that a box spans along each axis."""
MARGIN = 12
"""Pixels of the grid on each side of the box: a quarter of the box."""
CHANNELS = 5
_REFINEMENTS = 2


def box_channels(image: Array, probability: Array, box: Box) -> Array:
    """Compute the evidence for each pixel in and around a box, as channels of a network.

    Parameters
    ----------
    image, probability : array
        Grey values (Y, X), and the network's probabilities (Y, X) in 0…1.
    box : tuple of int
        Top, left, bottom, right in pixels, half open, within the image.

    Returns
    -------
    array
        (5, 72, 72), float32, of magnitude about 1: log odds by the network, standardised grey
        values, log odds by the likelihood of the grey values, log odds by the location in the box,
        and 1 inside the box.
    """
    from scipy.special import expit

    grey, probable = (on_grid(finite(a), box) for a in (image, probability))
    network, location, inside = log_odds(probable), _location_prior(), _inside()
    levels = grey_levels(grey)
    odds, by_grey = 0.6 * location + 0.4 * network, np.zeros_like(location)
    for _ in range(_REFINEMENTS):
        foreground = expit(odds + by_grey) * inside
        histograms = (grey_histogram(levels, w) for w in (foreground, 1 - foreground))
        by_grey = grey_odds(levels, *histograms)
    normed = (grey - grey.mean()) / max(grey.std(), least_contrast(grey))
    parts = (network / 4, np.clip(normed, -3, 3), by_grey / 3, location / 4, inside)
    return np.stack(parts).astype(np.float32)


def from_grid(values: Array, box: Box) -> Array:
    """Resample values of the grid (72, 72) to the box, (bottom - top, right - left)."""
    from scipy.ndimage import map_coordinates

    top, left, bottom, right = box
    positions = [
        (np.arange(n) + 0.5) / n * SIDE - 0.5 + MARGIN for n in (bottom - top, right - left)
    ]
    return map_coordinates(values, np.meshgrid(*positions, indexing="ij"), order=1, mode="nearest")


def squared_radius(height: int, width: int) -> Array:
    """Return the squared distance from the centre, 1 on the ellipse inscribed in the rectangle."""
    y, x = (((np.arange(n) + 0.5) / n * 2 - 1) ** 2 for n in (height, width))
    return y[:, None] + x[None, :]


def on_grid(image: Array, box: Box) -> Array:
    """Resample an image to the grid of a box without aliasing; border values extend outwards."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    positions, around = zip(
        *(_axis(box[i], box[i + 2], image.shape[i]) for i in (0, 1)), strict=True
    )
    part = image[around]
    sigma = (max(box[2] - box[0], box[3] - box[1]) / SIDE - 1) / 2
    if sigma > 0:
        part = gaussian_filter(part, sigma)
    return map_coordinates(part, np.meshgrid(*positions, indexing="ij"), order=1, mode="nearest")


def _axis(start: int, stop: int, length: int) -> tuple[Array, slice]:
    """Return the positions of the grid's pixels within a part of an axis, and this part."""
    size = stop - start
    positions = start + (np.arange(SIDE + 2 * MARGIN) + 0.5 - MARGIN) / SIDE * size - 0.5
    part = slice(max(0, start - size // 2 - 2), min(length, stop + size // 2 + 2))
    return positions - part.start, part


@cache
def _location_prior() -> Array:
    """Return log odds by the location in the box, fitted to the masks of 3000 tumours."""
    side = SIDE + 2 * MARGIN
    radius = squared_radius(side, side) * (side / SIDE) ** 2
    return np.maximum(3.2 - 4.3 * radius, -6).astype(np.float32)


@cache
def _inside() -> Array:
    """Return 1 inside the box and 0 around it, on the grid."""
    return np.pad(np.ones((SIDE, SIDE), np.float32), MARGIN)
