"""Correction of a mask around foreground and background scribbles."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_unet_seg.correct.pixel_evidence import (
    finite,
    grey_histogram,
    grey_levels,
    grey_odds,
    log_odds,
)
from napari_unet_seg.correct.walker import walk

Array = np.ndarray[Any, np.dtype[Any]]
Window = tuple[slice, slice]

_NETWORK = 0.5
"""Weight of the network's log odds, below 1 since its prediction was wrong near a scribble."""
_PRESENT = 1.5
"""Log odds that a pixel's present label is right."""
_PULL = 3.0
"""Log odds of a scribble's label at the scribble's edge."""
_REACH = 7.0
"""Distance in pixels at which the log odds of a scribble have fallen to 1/e."""
_STROKE_SHARE = 0.5
"""Share of the scribbled pixels in the grey value histogram of foreground or background."""
_ROUNDS = 2
"""Number of iterations; as in GrabCut, histograms are computed from the previous result."""


def solve_scribbles(
    image: Array,
    probability: Array | None,
    labels: Array,
    foreground: Array,
    background: Array,
    *,
    value: int,
    window_margin: int = 32,
) -> tuple[Window, Array]:
    """Segment a window around scribbles again; scribbled pixels take the label of their scribble.

    A random walker with priors (Grady 2005, "Multilabel random walker image segmentation using
    prior models") decides between `value` and background. The prior of a pixel combines the
    network's probability, the present label, the grey values under the scribbles and the distance
    to the scribbles; neighbouring pixels without an edge between them tend to the same label. Only
    components that touch a scribble change. The outermost pixels of the window do not change, so
    that the mask continues outside the window without a seam.

    Parameters
    ----------
    image : array
        Grey values (Y, X) of any real dtype; values that are not finite become the median.
    probability : array, optional
        The network's probabilities of `value`, (Y, X) in 0…1; by default the present labels are
        used.
    labels : array
        The present labels (Y, X), of integers.
    foreground, background : array
        Bool (Y, X): scribbles on pixels that are `value`, and on pixels that are not. Foreground
        wins where both are set.
    value : int
        The label to segment. Pixels of other labels than 0 change only under a foreground scribble.
    window_margin : int
        Width in pixels of the window around the scribbles.

    Returns
    -------
    tuple of slice, array
        The window, and the new labels within the window, of the dtype of `labels`. Both are empty
        without a scribble.
    """
    window = _window(foreground | background, window_margin)
    before, inside = labels[window], foreground[window]
    if not before.size:
        return window, before.copy()
    outside = background[window] & ~inside
    present = before == value
    held = inside | outside | (~present & (before != 0)) | _rim(window, labels.shape)
    grey = finite(image[window])
    levels = grey_levels(grey)
    evidence = np.where(present, _PRESENT, -_PRESENT) + _pull(inside) - _pull(outside)
    prior = np.where(present, 0.9, 0.1) if probability is None else probability[window]
    evidence += _NETWORK * log_odds(prior)
    found = (present | inside) & ~outside
    for _ in range(_ROUNDS):
        odds = evidence + _grey_odds(levels, found, inside, outside)
        found = walk(grey, odds, held, (present | inside) & ~outside)
    changed = _touching_components((found != present) | inside | outside, inside | outside)
    after = np.where(changed & present & ~found, 0, before)
    return window, np.where(changed & found, value, after).astype(labels.dtype)


def _window(strokes: Array, margin: int) -> Window:
    """Return the bounding box of the scribbles with a margin inside the image."""
    box = []
    for axis in (0, 1):
        marked = np.flatnonzero(strokes.any(1 - axis))
        stop = marked[-1] + 1 + margin if marked.size else 0
        start = max(0, marked[0] - margin) if marked.size else 0
        box.append(slice(int(start), int(min(stop, strokes.shape[axis]))))
    return box[0], box[1]


def _rim(window: Window, shape: tuple[int, ...]) -> Array:
    """Mark the outermost pixels of a window, except at the borders of the image."""
    free = [
        slice(int(part.start > 0), part.stop - part.start - int(part.stop < length))
        for part, length in zip(window, shape, strict=True)
    ]
    rim = np.ones([part.stop - part.start for part in window], bool)
    rim[free[0], free[1]] = False
    return rim


def _pull(stroke: Array) -> Array:
    """Return log odds by the distance from a scribble: a Gaussian of the distance."""
    from scipy.ndimage import distance_transform_edt

    if not stroke.any():
        return np.zeros(stroke.shape)
    return _PULL * np.exp(-((distance_transform_edt(~stroke) / _REACH) ** 2))


def _grey_odds(levels: Array, found: Array, inside: Array, outside: Array) -> Array:
    """Return log odds by the grey level histograms of foreground and background."""
    regions = ((found, inside), (~found, outside))
    return grey_odds(levels, *(_histogram(levels, region, stroke) for region, stroke in regions))


def _histogram(levels: Array, region: Array, stroke: Array) -> Array:
    of_region = grey_histogram(levels, region * 1.0)
    if not stroke.any():
        return of_region
    of_stroke = grey_histogram(levels, stroke * 1.0)
    return _STROKE_SHARE * of_stroke + (1 - _STROKE_SHARE) * of_region


def _touching_components(changed: Array, strokes: Array) -> Array:
    """Return the connected components of changed pixels that hold scribbled pixels."""
    from scipy.ndimage import label

    parts, _ = label(changed)
    return np.isin(parts, np.unique(parts[strokes]))
