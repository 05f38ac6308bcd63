"""A mask solved again around the strokes that say what belongs to it and what does not."""

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
"""Weight of the network's log odds: what it missed once it is no judge of."""
_PRESENT = 1.5
"""Log odds that a pixel's present label is right."""
_PULL = 3.0
"""Log odds for what a stroke says, beside the stroke."""
_REACH = 7.0
"""Pixels over which a stroke's word loses its weight."""
_STROKE_SHARE = 0.5
"""Share of the strokes in the histogram of its side; the whole side has the rest."""
_ROUNDS = 2
"""As in GrabCut, grey values are judged again by what was found with them."""


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
    """Label a window around strokes again; what the strokes cover is as they say.

    A random walker with priors (Grady 2005, "Multilabel random walker image segmentation using
    prior models") decides between `value` and the rest: each pixel leans to the network's
    probability, its present label, the grey values under the strokes and the strokes near it, and
    is tied to its neighbours where there is no edge between them. Only changes that are connected
    with a stroke are made, and the window's rim stays, so that the mask goes on beyond it.

    Parameters
    ----------
    image : array
        Grey values (Y, X) of any real dtype; what is not finite is filled in.
    probability : array, optional
        The network's probabilities of `value`, (Y, X) in 0…1; without them the present labels
        count in their place.
    labels : array
        The present labels (Y, X), of integers.
    foreground, background : array
        Bool, (Y, X): what is `value`, and what is not. Foreground wins where both are set.
    value : int
        The label to solve for. Pixels of other labels but 0 are left alone, unless a foreground
        stroke is on them.
    window_margin : int
        Pixels of the window around the strokes.

    Returns
    -------
    tuple of slice, array
        The window, and the new labels within it, of the dtype of `labels`. Without a stroke both
        are empty.
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
    lean = np.where(present, _PRESENT, -_PRESENT) + _pull(inside) - _pull(outside)
    known = np.where(present, 0.9, 0.1) if probability is None else probability[window]
    lean += _NETWORK * log_odds(known)
    found = (present | inside) & ~outside
    for _ in range(_ROUNDS):
        odds = lean + _by_grey(levels, found, inside, outside)
        found = walk(grey, odds, held, (present | inside) & ~outside)
    changed = _touching((found != present) | inside | outside, inside | outside)
    after = np.where(changed & present & ~found, 0, before)
    return window, np.where(changed & found, value, after).astype(labels.dtype)


def _window(strokes: Array, margin: int) -> Window:
    """The box around the strokes and a margin, as far as the image goes."""
    box = []
    for axis in (0, 1):
        marked = np.flatnonzero(strokes.any(1 - axis))
        stop = marked[-1] + 1 + margin if marked.size else 0
        start = max(0, marked[0] - margin) if marked.size else 0
        box.append(slice(int(start), int(min(stop, strokes.shape[axis]))))
    return box[0], box[1]


def _rim(window: Window, shape: tuple[int, ...]) -> Array:
    """The outermost pixels of a window on the sides where the image goes on."""
    free = [
        slice(int(part.start > 0), part.stop - part.start - int(part.stop < length))
        for part, length in zip(window, shape, strict=True)
    ]
    rim = np.ones([part.stop - part.start for part in window], bool)
    rim[free[0], free[1]] = False
    return rim


def _pull(stroke: Array) -> Array:
    """Log odds by a stroke nearby: a Gaussian of the distance from it."""
    from scipy.ndimage import distance_transform_edt

    if not stroke.any():
        return np.zeros(stroke.shape)
    return _PULL * np.exp(-((distance_transform_edt(~stroke) / _REACH) ** 2))


def _by_grey(levels: Array, found: Array, inside: Array, outside: Array) -> Array:
    """Log odds by how often the grey levels occur on either side, and under its strokes."""
    sides = ((found, inside), (~found, outside))
    return grey_odds(levels, *(_histogram(levels, side, stroke) for side, stroke in sides))


def _histogram(levels: Array, side: Array, stroke: Array) -> Array:
    by_side = grey_histogram(levels, side * 1.0)
    if not stroke.any():
        return by_side
    by_stroke = grey_histogram(levels, stroke * 1.0)
    return _STROKE_SHARE * by_stroke + (1 - _STROKE_SHARE) * by_side


def _touching(changed: Array, strokes: Array) -> Array:
    """Those components of what changed that hold a part of a stroke."""
    from scipy.ndimage import label

    parts, _ = label(changed)
    return np.isin(parts, np.unique(parts[strokes]))
