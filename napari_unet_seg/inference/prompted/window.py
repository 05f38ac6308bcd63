"""The window around prompts that a network is applied to, and the resampling of its input.

The input of the network has about the same number of pixels for every image, so that a prediction
takes the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.models.header import CheckpointInfo


_VIEW = 0.75
"""Smallest size of the window, as a share of the size of training."""
_MARGIN = 0.1
"""Margin around a large object, as a share of the size of training."""
_CLOSER = 0.65
"""Largest magnification of an image that is larger than the size of training: its pixel size as a
share of the pixel size at the size of training."""


class PromptWindow(NamedTuple):
    """A part of an image, and the size in pixels that it is resampled to for the network."""

    sides: tuple[slice, ...]
    size: tuple[int, ...]


def window_around(marked: Array, info: CheckpointInfo) -> PromptWindow:
    """Return the window around all marked pixels.

    Parameters
    ----------
    marked : array
        bool of shape (Y, X) or (Z, Y, X); without a marked pixel the window is the whole image.
    info : CheckpointInfo
        Size of training.
    """
    bounds = _bounds(marked)
    size = info.image_size
    extent = max(high - low for low, high in bounds[-2:])
    whole = max(marked.shape[-2:]) / size  # image pixels per pixel of the network's input
    pixel = max(min(whole, max(1.0, _CLOSER * whole)), extent / (size * (1 - 2 * _MARGIN)))
    view = float(np.clip(extent + 2 * _MARGIN * size * pixel, _VIEW * size * pixel, size * pixel))
    pixels, views = [pixel, pixel], [view, view]
    if marked.ndim == 3:
        low, high = bounds[0]
        coarse = max(1.0, (high - low) / info.patch_slices)
        pixels, views = [coarse, *pixels], [coarse * info.patch_slices, *views]
    sides = tuple(map(_side, bounds, marked.shape, views))
    lengths = [side.stop - side.start for side in sides]
    return PromptWindow(
        sides, tuple(max(1, round(n / p)) for n, p in zip(lengths, pixels, strict=True))
    )


def _bounds(marked: Array) -> list[tuple[int, int]]:
    """Return first and last marked index along each axis, half open."""
    axes = range(marked.ndim)
    found = [np.flatnonzero(marked.any(tuple(a for a in axes if a != axis))) for axis in axes]
    if not len(found[0]):
        return [(0, length) for length in marked.shape]
    return [(int(places[0]), int(places[-1]) + 1) for places in found]


def _side(bounds: tuple[int, int], length: int, view: float) -> slice:
    """Return `view` pixels of an axis, centred on the marked pixels as far as the image allows."""
    wanted = min(length, round(view))
    start = round((sum(bounds) - wanted) / 2)
    start = min(max(0, start), length - wanted)
    return slice(start, start + wanted)


def resized(images: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """Resample floats (B, C, …) to another size, with antialiasing where slices shrink."""
    if images.shape[2:] == size:
        return images
    if len(size) == 3:
        return F.interpolate(images, size, mode="trilinear")
    shrinks = any(new < old for new, old in zip(size, images.shape[2:], strict=True))
    return F.interpolate(images, size, mode="bilinear", antialias=shrinks)


def marks(prompts: Array, size: tuple[int, ...]) -> torch.Tensor:
    """Resample prompts (3, …), as floats; prompts keep a width of at least three pixels.

    Prompts of a fine brush, or on a large image, would otherwise be thinner than in training.
    """
    pool = {2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}[len(size)]
    seen = pool(torch.from_numpy(prompts).float()[None], size)[0]
    return torch.stack([_thickened(seen[0]), _thickened(seen[1]), seen[2]])


def _thickened(mark: torch.Tensor) -> torch.Tensor:
    """Grow the parts of a map that hold no block of 3×3 pixels by one pixel."""
    if not mark.any():
        return mark
    core = -_dilated(-mark)
    return torch.maximum(mark, _dilated(mark * (1 - _dilated(core))))


def _dilated(values: torch.Tensor) -> torch.Tensor:
    """Return the maximum of each pixel and its neighbours."""
    pool = {2: F.max_pool2d, 3: F.max_pool3d}[values.ndim]
    return pool(values[None, None], 3, 1, 1)[0, 0]
