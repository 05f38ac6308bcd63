"""Segmentation of an object from a box around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.correct.box_grid import box_channels, from_grid, squared_radius
from napari_unet_seg.correct.box_net import box_logits, box_net_weights

if TYPE_CHECKING:
    from napari_unet_seg.correct.box_grid import Box

Array = np.ndarray[Any, np.dtype[Any]]


def outline_in_box(image: Array, probability: Array, box: Box) -> Array:
    """Segment the single object that a tight box encloses.

    A small network combines the segmentation network's probabilities, the grey values and the
    location in the box. It was trained on boxes with and without probabilities. The box is a prior
    on the extent of the object, as by Lempitsky et al. 2009 ("Image segmentation with a bounding
    box prior").

    Parameters
    ----------
    image : array
        Grey values (Y, X) of any real dtype; values that are not finite become the median.
    probability : array
        Foreground probabilities (Y, X) in 0…1; zeros if there is no prediction.
    box : tuple of int
        Top, left, bottom, right in pixels, half open; clipped to the image.

    Returns
    -------
    array
        Bool mask (Y, X): one connected object without holes within the box. Empty only if the box
        holds no pixel of the image.
    """
    mask = np.zeros(image.shape, bool)
    top, left, bottom, right = box = _clipped(box, mask.shape)
    if bottom > top and right > left:
        logits = box_logits(box_channels(image, probability, box), box_net_weights())
        mask[top:bottom, left:right] = _one_object(from_grid(logits, box) >= 0)
    return mask


def _clipped(box: Box, shape: tuple[int, ...]) -> Box:
    top, left, bottom, right = (int(edge) for edge in box)
    return max(top, 0), max(left, 0), min(bottom, shape[0]), min(right, shape[1])


def _one_object(found: Array) -> Array:
    """Return the largest component without holes; the inscribed ellipse if there is none."""
    from scipy.ndimage import binary_fill_holes, label

    parts, count = label(found)
    if not count:
        return squared_radius(*found.shape) <= 1
    largest = 1 + np.argmax(np.bincount(parts.ravel())[1:])
    return binary_fill_holes(parts == largest)
