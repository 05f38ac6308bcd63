"""Thumbnails of slices, with the outline of their mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_unet_seg.io.common.window import to_grey, to_uint8

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.arrays import Array

Colour = tuple[int, int, int]

_BOX = Image.Resampling.BOX


def draw_thumbnail(
    plane: Array,
    labels: Array,
    colours: Mapping[int, Colour],
    window: tuple[float, float],
    size: int,
    spacing: tuple[float, float] = (1.0, 1.0),
) -> Array:
    """Draw a slice with the outline of its mask.

    Parameters
    ----------
    plane : array
        The slice, of shape (Y, X) or (Y, X, C); three or four channels of uint8 are colours.
    labels : array
        The mask: integers of shape (Y, X).
    colours : mapping of int to (R, G, B)
        Colours of the labels to outline; even a single pixel is visible.
    window : (float, float)
        Grey values that become black and white; colours are not changed.
    size : int
        Length of the longer side in pixels.
    spacing : (float, float)
        Size of a pixel of the slice along Y and X, whose ratio the thumbnail shows.

    Returns
    -------
    array
        uint8 of shape (y, x, 3).
    """
    extent = np.array(labels.shape) * np.abs(spacing)
    height, width = (int(n) for n in np.maximum(np.round(size * extent / extent.max()), 1))
    picture = np.array(Image.fromarray(_shown(plane, window)).resize((width, height), _BOX))
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=-1)
    for value, colour in colours.items():
        # As floats, so that a single pixel is not rounded to zero.
        share = Image.fromarray((labels == value).astype(np.float32)).resize((width, height), _BOX)
        picture[_edge(np.asarray(share) > 0)] = colour
    return picture


def _shown(plane: Array, window: tuple[float, float]) -> Array:
    if plane.ndim == 2:
        return to_uint8(plane, window)
    if plane.dtype == np.uint8 and plane.shape[-1] in (3, 4):
        return np.ascontiguousarray(plane[..., :3])
    return to_uint8(to_grey(plane), window)


def _edge(inside: Array) -> Array:
    """Return the pixels of a region that touch its outside or the border of the picture."""
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: Array = inside & ~core
    return edge
