"""Where a network of prompts looks: a window around what is marked, and what it sees there.

The window has about the same number of pixels whatever the image's size, so that an answer takes
the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo

Array = np.ndarray[Any, np.dtype[Any]]

_VIEW = 0.75
"""What the network sees around a small object, as a share of the size it was trained at."""
_MARGIN = 0.1
"""What it sees around a large one, likewise."""
_CLOSER = 0.65
"""How much finer than at that size it sees a larger image, at most."""


class PromptWindow(NamedTuple):
    """A part of an image, and the size that the network sees it in."""

    sides: tuple[slice, ...]
    size: tuple[int, ...]


def window_around(marked: Array, info: CheckpointInfo) -> PromptWindow:
    """The window around all that is marked in (Y, X) or (Z, Y, X); the whole where nothing is."""
    bounds = _bounds(marked)
    size = info.image_size
    extent = max(high - low for low, high in bounds[-2:])
    whole = max(marked.shape[-2:]) / size  # image pixels for one that the network sees
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
    """From where to where something is marked along each axis."""
    axes = range(marked.ndim)
    found = [np.flatnonzero(marked.any(tuple(a for a in axes if a != axis))) for axis in axes]
    if not len(found[0]):
        return [(0, length) for length in marked.shape]
    return [(int(places[0]), int(places[-1]) + 1) for places in found]


def _side(bounds: tuple[int, int], length: int, view: float) -> slice:
    """So many pixels of an axis, the marked ones in the middle as far as the image allows."""
    wanted = min(length, round(view))
    start = round((sum(bounds) - wanted) / 2)
    start = min(max(0, start), length - wanted)
    return slice(start, start + wanted)


def resized(images: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """Bring floats (B, C, …) to another size, with an area filter where slices shrink."""
    if images.shape[2:] == size:
        return images
    if len(size) == 3:
        return F.interpolate(images, size, mode="trilinear")
    shrinks = any(new < old for new, old in zip(size, images.shape[2:], strict=True))
    return F.interpolate(images, size, mode="bilinear", antialias=shrinks)


def marks(prompts: Array, size: tuple[int, ...]) -> torch.Tensor:
    """Prompts (3, …) at another size, as floats; a mark is not lost, and not thinner than three.

    What is drawn by a fine brush, or seen from afar, would else be thinner than in training.
    """
    pool = {2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}[len(size)]
    seen = pool(torch.from_numpy(prompts).float()[None], size)[0]
    return torch.stack([_thickened(seen[0]), _thickened(seen[1]), seen[2]])


def _thickened(mark: torch.Tensor) -> torch.Tensor:
    """Grow what holds no block of three pixels on each side by one pixel."""
    core = -_spread(-mark)
    return torch.maximum(mark, _spread(mark * (1 - _spread(core))))


def _spread(values: torch.Tensor) -> torch.Tensor:
    """The highest of each pixel and its neighbours along all axes."""
    pool = {2: F.max_pool2d, 3: F.max_pool3d}[values.ndim]
    return pool(values[None, None], 3, 1, 1)[0, 0]
