"""Corrections of one category's shape: each takes a mask and returns a mask of the same shape.

A mask is a bool array with axes YX or ZYX. Lengths are in pixels along its last axis; where
`spacing` is given, one number an axis in any unit, the other axes are measured in the same length,
so that in a volume of thick slices three pixels may not reach the next slice. Nothing is assumed
beyond the border of the array: a mask neither shrinks from it nor is closed by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Labels = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
Distances = np.ndarray[Any, np.dtype[np.float64]]


def grow(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Add what lies within `pixels` of the mask: dilation by a disc or ball."""
    margin = int(np.ceil(pixels * max(1.0, *(1 / _ratios(mask, spacing)))))
    return _cropped(mask, margin, lambda part: depth(~part, spacing) <= pixels)


def shrink(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Take away what lies within `pixels` of the background: erosion by a disc or ball."""
    return _cropped(mask, 1, lambda part: depth(part, spacing) > pixels)


def close_gaps(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Join parts that lie less than twice `pixels` apart: grow, then shrink."""
    return mask | shrink(grow(mask, pixels, spacing), pixels, spacing)


def smooth(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Even out the border: details finer than about `pixels` go, bumps and bays alike.

    A Gaussian with a standard deviation of half as many pixels, cut at one half, which leaves
    straight borders where they are.
    """
    from scipy import ndimage

    sigma = pixels / 2 / _ratios(mask, spacing)

    def work(part: Mask) -> Mask:
        blurred = ndimage.gaussian_filter(part.astype(np.float32), sigma, mode="nearest")
        return np.asarray(blurred > 0.5)

    return _cropped(mask, 1, work)


def fill_holes(mask: Mask) -> Mask:
    """Fill what the mask encloses within a slice, slice by slice.

    A cavity that is closed in a volume is closed in each of its slices too, and so is filled; a
    tunnel that leaves the slice is a hole on the screen, and is filled as well.
    """
    from scipy import ndimage

    def work(part: Mask) -> Mask:
        planes = part.reshape(-1, *part.shape[-2:])
        return np.stack([ndimage.binary_fill_holes(p) for p in planes]).reshape(part.shape)

    return _cropped(mask, 1, work)


def keep_largest(mask: Mask) -> Mask:
    """Keep the part with the most pixels; parts that touch at a corner alone are one."""
    parts, sizes = _parts(mask)
    return parts == 1 + int(np.argmax(sizes)) if sizes.size else mask.copy()


def remove_small(mask: Mask, pixels: int) -> Mask:
    """Take away the parts of fewer than `pixels` pixels (voxels in a volume)."""
    parts, sizes = _parts(mask)
    kept: Mask = np.concatenate(([False], sizes >= pixels))[parts]
    return kept


def split(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Separate objects that touch, by a line of background one pixel wide.

    Label values stand for categories, so that two objects of one category can only be told apart
    by what lies between them. Where they are cut is said at `split_parts`.
    """
    return split_parts(mask, pixels, spacing) > 0


def split_parts(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Labels:
    """Label the objects that a mask consists of, from 1, with lines of 0 between those that touch.

    The watershed of the distance to the background (Beucher and Lantuéjoul 1979). A neck is cut
    where it is at least `pixels` narrower than the objects on both of its sides.
    """
    parts = np.zeros(mask.shape, np.int32)
    box = box_of(mask, 1)
    if box is not None and mask[box].all():
        parts[box] = 1
    elif box is not None:
        parts[box] = _watershed(mask[box], pixels / 2, spacing)
    return parts


def _watershed(mask: Mask, height: float, spacing: Sequence[float]) -> Any:
    from scipy import ndimage
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    distance = depth(mask, spacing)
    # Lower than any object, so that one that is thinner than `height` still has a peak.
    distance[~mask] = -height - 1
    lowered = reconstruction(distance - height, distance)  # type: ignore[no-untyped-call]
    peaks = local_maxima(lowered) & mask  # type: ignore[no-untyped-call]
    parts, count = ndimage.label(mask, _neighbours(mask))
    markers, found = ndimage.label(peaks, _neighbours(mask))
    if found == count:
        return parts
    # Objects that touch at a corner alone count as one, so the line has to part corners too.
    return watershed(  # type: ignore[no-untyped-call]
        -distance, markers, _neighbours(mask), mask=mask, watershed_line=True
    )


def _cropped(mask: Mask, margin: int, work: Callable[[Mask], Mask]) -> Mask:
    """Do the work where the mask is, with a margin of background around it."""
    box = box_of(mask, margin)
    if box is None or mask[box].all():
        return mask.copy()
    result = np.zeros_like(mask)
    result[box] = work(mask[box])
    return result


def box_of(mask: Mask, margin: int) -> tuple[slice, ...] | None:
    """Return where the mask is, with a margin as far as the array goes; None if it is empty."""
    axes = range(mask.ndim)
    spans = [np.flatnonzero(mask.any(tuple(a for a in axes if a != axis))) for axis in axes]
    if not spans[0].size:
        return None
    return tuple(slice(max(0, s[0] - margin), s[-1] + margin + 1) for s in spans)


def depth(mask: Mask, spacing: Sequence[float]) -> Distances:
    """Return the distance of each pixel of the mask to the nearest one outside."""
    from scipy import ndimage

    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(mask, _ratios(mask, spacing)), np.float64)


def _ratios(mask: Mask, spacing: Sequence[float]) -> Distances:
    """Return how far apart pixels are along each axis, in pixels along the last one."""
    return np.asarray(spacing, np.float64) / spacing[-1] if len(spacing) else np.ones(mask.ndim)


def _neighbours(mask: Mask) -> Mask:
    return np.ones((3,) * mask.ndim, bool)


def _parts(mask: Mask) -> tuple[Labels, np.ndarray[Any, np.dtype[np.intp]]]:
    """Label the parts of a mask from 1, and count the pixels of each."""
    from scipy import ndimage

    parts: Labels = ndimage.label(mask, _neighbours(mask))[0]
    return parts, np.bincount(parts.ravel())[1:]
