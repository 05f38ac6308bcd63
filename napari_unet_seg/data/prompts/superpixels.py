"""Superpixels as targets, so that a network follows prompts for what has no category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from napari_unet_seg.data.prompts.marks import Rng, anywhere

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

_SEEN = 15
"""Grey of 255 above which a pixel is no background."""
_FEWEST = 20
"""Pixels that are no background, below which a slice has no superpixel."""


def superpixel(image: Array, rng: Rng) -> Array:
    """Return a piece of a slice between edges, sometimes with neighbours of much the same grey.

    Parameters
    ----------
    image : array
        A slice, uint8 of shape (Y, X).
    rng : Generator
        Source of randomness.

    Returns
    -------
    array
        bool of shape (Y, X); empty if the slice is black.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), rng.uniform(0.7, 2.5))
    edges = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
    pieces = watershed(edges, markers=int(rng.integers(30, 200)))  # type: ignore[no-untyped-call]
    seen = smooth > _SEEN
    if np.count_nonzero(seen) < _FEWEST:
        return np.zeros(image.shape, bool)
    piece = pieces[tuple(anywhere(seen, rng))]
    target = pieces == piece
    greys = np.bincount(pieces.ravel(), smooth.ravel()) / np.bincount(pieces.ravel()).clip(1)
    close = (np.abs(greys - greys[piece]) < rng.uniform(0, 25))[pieces]
    for _ in range(int(rng.integers(0, 3))):
        reached = np.zeros(pieces.max() + 1, bool)
        reached[pieces[ndimage.binary_dilation(target)]] = True
        target = target | (reached[pieces] & close)
    return np.asarray(target)
