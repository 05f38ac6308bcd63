"""The prompt network on slices of uint8: outlines of boxes, and strokes that are followed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.ndimage import binary_fill_holes, label

from napari_unet_seg.arrays import Array
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import refine
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import PROMPT_NETWORK

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels, half open."""
Find = Callable[[Array, Array], Array]
"""The network on one slice: from maps of positive prompts, negative prompts and boxes (3, Y, X) and
the present mask (Y, X) to the mask of the marked object (Y, X), all bool."""

_NEAR = 32
"""Distance in pixels from a stroke within which parts of the mask are shown to the network."""


def outline_in_box(find: Find, predicted: Array, box: Box) -> Array:
    """Segment the object that a box encloses.

    Parameters
    ----------
    find : callable
        The prompt network on the slice.
    predicted : array
        What an automatic model found, bool (Y, X); empty if nothing is known.
    box : tuple of int
        The box; clipped to the slice.

    Returns
    -------
    array
        Bool mask (Y, X): the largest component within the box, without holes; the ellipse in the
        box if the network finds nothing there, since a person says that something is.
    """
    prompts = np.zeros((3, *predicted.shape), bool)
    within = prompts[2]
    within[max(0, box[0]) : max(0, box[2]), max(0, box[1]) : max(0, box[3])] = True
    if not within.any():
        return within
    return _one_object(find(prompts, predicted & within) & within, within)


def _one_object(found: Array, box: Array) -> Array:
    parts, count = label(found)
    if not count:
        return _ellipse_in(box)
    largest = 1 + np.argmax(np.bincount(parts.ravel())[1:])
    return binary_fill_holes(parts == largest)


def _ellipse_in(box: Array) -> Array:
    rows, columns = (np.flatnonzero(box.any(axis)) for axis in (1, 0))
    grid = np.ogrid[: box.shape[0], : box.shape[1]]
    radius: Array = sum(
        (2 * (axis - side.mean()) / side.size) ** 2
        for axis, side in zip(grid, (rows, columns), strict=True)
    )
    return box & (radius <= 1)


def follow_strokes(find: Find, labels: Array, inside: Array, outside: Array, value: int) -> Array:
    """Correct a slice by strokes: marked pixels are as marked, what is away from them stays.

    Parameters
    ----------
    find : callable
        The prompt network on the slice.
    labels : array
        The present labels (Y, X), of integers.
    inside, outside : array
        Bool (Y, X): strokes on pixels that are `value`, and on pixels that are not. Inside wins
        where both are set.
    value : int
        The label that is corrected. Pixels of other labels than 0 change only under a stroke
        inside; of all that the network would change, only connected areas that hold a marked pixel
        do.

    Returns
    -------
    array
        The new labels (Y, X), of the dtype of `labels`.
    """
    outside = outside & ~inside
    strokes = inside | outside
    if not strokes.any():
        return labels.copy()
    present = labels == value
    prompts = np.stack([inside, outside, np.zeros_like(inside)])
    others = ~present & (labels != 0)
    wanted = (find(prompts, _parts_near(present, strokes)) & ~others & ~outside) | inside
    parts, _ = label((wanted != present) | strokes)
    marked = np.isin(parts, np.unique(parts[strokes]))
    after = np.where(marked & present & ~wanted, 0, labels)
    return np.where(marked & wanted, value, after).astype(labels.dtype)


def _parts_near(mask: Array, strokes: Array) -> Array:
    """Return the connected parts of a mask that come near a stroke."""
    rows, columns = (np.flatnonzero(strokes.any(axis)) for axis in (1, 0))
    around = np.s_[
        max(0, rows[0] - _NEAR) : rows[-1] + 1 + _NEAR,
        max(0, columns[0] - _NEAR) : columns[-1] + 1 + _NEAR,
    ]
    parts, _ = label(mask)
    near = np.unique(parts[around])
    return np.isin(parts, near[near > 0])


def found(image: Array, prompts: Array, previous: Array) -> Array:
    """What the network finds on a slice."""
    *_, refined = refine(PredictConfig(), PROMPT_NETWORK, Scan(image, "YX"), prompts, previous)
    mask = np.zeros(image.shape, bool)
    mask[refined.window] = refined.mask
    return mask


def outlined(image: Array, predicted: Array, box: Box) -> Array:
    """The object in a box."""
    return outline_in_box(partial(found, image), predicted, box)


def marked(image: Array, mask: Array, inside: Array, outside: Array) -> Array:
    """A mask after strokes."""
    labels = follow_strokes(partial(found, image), mask.astype(np.uint8), inside, outside, 1)
    return labels == 1
