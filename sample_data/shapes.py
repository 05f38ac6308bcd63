"""Random fields, distances and soft edges: what the phantoms are made of."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, np.dtype[Any]]

LATTICE, PITCH = 96, 2.5
"""Points along each side of the random fields, and their distance in mm."""


class Field:
    """A smooth random function of the position, with mean 0 and standard deviation 1."""

    def __init__(self, rng: np.random.Generator, smooth: float) -> None:
        """Smooth white noise over `smooth` mm."""
        noise = rng.normal(size=(LATTICE,) * 3).astype(np.float32)
        noise = ndimage.gaussian_filter(noise, smooth / PITCH, mode="wrap")
        self.values = (noise - noise.mean()) / noise.std()
        slopes = [ndimage.sobel(self.values, axis) / (32 * PITCH) for axis in range(3)]
        self.slope = np.sqrt(sum(slope**2 for slope in slopes))

    def __call__(self, at: Array) -> Array:
        """Return the values at positions of shape (3, ...)."""
        return self._sample(self.values, at)

    def sheet(self, at: Array) -> Array:
        """Return the distance to the surface where the function is zero, in mm."""
        return np.abs(self(at)) / (self._sample(self.slope, at) + 0.01)

    @staticmethod
    def _sample(values: Array, at: Array) -> Array:
        return ndimage.map_coordinates(values, at / PITCH + LATTICE / 2, order=1, mode="grid-wrap")


def ellipsoid(at: Array, centre: Any, radii: Any) -> Array:
    """Return the distance to the surface of an ellipsoid, about exact near it, negative inside."""
    radii = np.reshape(radii, (3,) + (1,) * (at.ndim - 1))
    offset = (at - np.reshape(centre, radii.shape)) / radii
    size = np.sqrt((offset**2).sum(0)) + 1e-6
    return (size - 1) * size / np.sqrt(((offset / radii) ** 2).sum(0) + 1e-12)


def tube(at: Array, points: Any) -> Array:
    """Return the distance to a tube along way points (z, y, x, radius), negative inside."""
    nearest = np.full(at.shape[1:], np.inf)
    for start, end in pairwise(points):
        a, b = (np.reshape(point[:3], (3,) + (1,) * (at.ndim - 1)) for point in (start, end))
        along = np.clip(((at - a) * (b - a)).sum(0) / ((b - a) ** 2).sum(), 0, 1)
        radius = start[3] + along * (end[3] - start[3])
        distance = np.sqrt(((at - a - along * (b - a)) ** 2).sum(0)) - radius
        nearest = np.minimum(nearest, distance)
    return nearest


def paint(image: Array, value: Any, distance: Array, soft: float = 0.8) -> Array:
    """Lay a tissue over the image where the distance is negative, with an edge of ±`soft` mm."""
    cover = np.clip(0.5 - distance / (2 * soft), 0, 1)
    return image * (1 - cover) + value * cover
