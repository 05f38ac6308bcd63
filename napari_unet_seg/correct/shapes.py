"""Operations on the shape of one category: each takes a mask and returns a new mask.

A mask is a bool array with axes YX or ZYX. Lengths are in pixels along its last axis. With
`spacing`, the voxel size along each axis in any unit, lengths along the other axes are the same
physical lengths, so that in a volume of thick slices three pixels may not reach the next slice.
Nothing is assumed beyond the border of the array: a mask neither shrinks from the border nor is
closed by it.
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
    """Add the pixels within a distance of `pixels` of the mask: dilation by a disc or ball."""
    margin = int(np.ceil(pixels * max(1.0, *(1 / _ratios(mask, spacing)))))
    return _cropped(mask, margin, lambda part: depth(~part, spacing) <= pixels)


def shrink(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Remove pixels within a distance of `pixels` of the background: erosion by a disc or ball."""
    return _cropped(mask, 1, lambda part: depth(part, spacing) > pixels)


def close_gaps(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Join parts less than twice `pixels` apart: closing, which grows, then shrinks."""
    return mask | shrink(grow(mask, pixels, spacing), pixels, spacing)


def smooth(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Smooth the border: remove bumps and bays finer than about `pixels`.

    The mask is blurred by a Gaussian with a standard deviation of half of `pixels` and thresholded
    at 0.5, which does not move straight borders.
    """
    from scipy import ndimage

    sigma = pixels / 2 / _ratios(mask, spacing)

    def operation(part: Mask) -> Mask:
        blurred = ndimage.gaussian_filter(part.astype(np.float32), sigma, mode="nearest")
        return np.asarray(blurred > 0.5)

    return _cropped(mask, 1, operation)


def fill_holes(mask: Mask) -> Mask:
    """Fill the holes of the mask in each slice.

    A closed cavity of a volume is a hole in each of its slices, and is filled. A tunnel across the
    slices is a hole on the screen, and is filled too.
    """
    from scipy import ndimage

    def operation(part: Mask) -> Mask:
        planes = part.reshape(-1, *part.shape[-2:])
        return np.stack([ndimage.binary_fill_holes(p) for p in planes]).reshape(part.shape)

    return _cropped(mask, 1, operation)


def keep_largest(mask: Mask) -> Mask:
    """Keep the connected component with the most pixels; pixels that share a corner connect."""
    parts, sizes = _parts(mask)
    return parts == 1 + int(np.argmax(sizes)) if sizes.size else mask.copy()


def remove_small(mask: Mask, pixels: int) -> Mask:
    """Remove connected components of fewer than `pixels` pixels (voxels in a volume)."""
    parts, sizes = _parts(mask)
    kept: Mask = np.concatenate(([False], sizes >= pixels))[parts]
    return kept


def split(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Mask:
    """Separate touching objects by a line of background one pixel wide, see `split_parts`.

    Label values are categories, so that only background can separate objects of one category.
    """
    return split_parts(mask, pixels, spacing) > 0


def split_parts(mask: Mask, pixels: float, spacing: Sequence[float] = ()) -> Labels:
    """Label the objects of a mask from 1, as int32, with lines of 0 between touching objects.

    Objects are separated by the watershed of the distance to the background (Beucher and
    Lantuéjoul 1979), at necks that are at least `pixels` narrower than the objects on both sides.
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
    # Lower than any object, so that an object thinner than `height` still has a peak.
    distance[~mask] = -height - 1
    lowered = reconstruction(distance - height, distance)  # type: ignore[no-untyped-call]
    peaks = local_maxima(lowered) & mask  # type: ignore[no-untyped-call]
    parts, count = ndimage.label(mask, _neighbours(mask))
    markers, found = ndimage.label(peaks, _neighbours(mask))
    if found == count:
        return parts
    # Pixels that share a corner are connected, so that the line separates corners too.
    return watershed(  # type: ignore[no-untyped-call]
        -distance, markers, _neighbours(mask), mask=mask, watershed_line=True
    )


def _cropped(mask: Mask, margin: int, operation: Callable[[Mask], Mask]) -> Mask:
    """Apply an operation to the bounding box of the mask, with a margin of background."""
    box = box_of(mask, margin)
    if box is None or mask[box].all():
        return mask.copy()
    result = np.zeros_like(mask)
    result[box] = operation(mask[box])
    return result


def box_of(mask: Mask, margin: int) -> tuple[slice, ...] | None:
    """Return the bounding box of the mask with a margin inside the array; None if it is empty."""
    axes = range(mask.ndim)
    spans = [np.flatnonzero(mask.any(tuple(a for a in axes if a != axis))) for axis in axes]
    if not spans[0].size:
        return None
    return tuple(slice(max(0, s[0] - margin), s[-1] + margin + 1) for s in spans)


def depth(mask: Mask, spacing: Sequence[float]) -> Distances:
    """Return the distance of each pixel of the mask to the nearest background pixel.

    In pixels along the last axis, float64; infinite if there is no background.
    """
    from scipy import ndimage

    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(mask, _ratios(mask, spacing)), np.float64)


def _ratios(mask: Mask, spacing: Sequence[float]) -> Distances:
    """Return the pixel distance along each axis, in pixels along the last axis."""
    return np.asarray(spacing, np.float64) / spacing[-1] if len(spacing) else np.ones(mask.ndim)


def _neighbours(mask: Mask) -> Mask:
    return np.ones((3,) * mask.ndim, bool)


def _parts(mask: Mask) -> tuple[Labels, np.ndarray[Any, np.dtype[np.intp]]]:
    """Label the connected components of a mask from 1, and count the pixels of each."""
    from scipy import ndimage

    parts: Labels = ndimage.label(mask, _neighbours(mask))[0]
    return parts, np.bincount(parts.ravel())[1:]
