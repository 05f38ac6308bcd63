"""Correction of a mask by a drawn line that replaces a section of its border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.correct.shapes import Mask

Points = np.ndarray[Any, np.dtype[np.float64]]

_CLOSED = 0.2
"""Largest gap between the ends of a closed path, as a share of its length."""
_SHORT = 4
"""Number of border points, beyond twice the gap, that a closed path may leave out."""
_TREMOR = 1.0
"""Standard deviation of the Gaussian that smooths a path, in pixels."""
_SAME = 0.25
"""Smallest IoU of a closed path with the object or hole that it replaces."""


def redraw_border(mask: Mask, path: Points) -> Mask:
    """Replace a section of the border of a mask by a path.

    The ends of the path are joined with the nearest border of the mask, and the path replaces one
    of the two sections between the joints: the section whose replacement changes fewer pixels. A
    path may cross the border several times, and thus add pixels in one place and remove pixels in
    another. The border of a hole is corrected in the same way. A closed path replaces the border
    of the object or hole that it matches, or adds a new object if it matches none. The path is
    smoothed first, to remove the tremor of the hand of up to about a pixel.

    Correction by a line that adds or removes pixels without a choice by the user follows Heimann et
    al. 2004 ("Interaktive Segmentierung von zweidimensionalen Datensätzen mit Hilfe von aktiven
    Konturen", Bildverarbeitung für die Medizin).

    Parameters
    ----------
    mask : array of bool
        With axes YX.
    path : array of float
        Points of shape (N, 2), rows and columns in pixels; the centre of a pixel has integer
        coordinates. Points may lie outside the image.

    Returns
    -------
    array of bool
        The new mask; a copy of `mask` if the path is a single point.
    """
    after = mask.copy()
    if len(path) > 1:
        steady = np.clip(_steadied(path), -0.5, np.array(mask.shape) - 0.5)
        window, corner = _window(mask, steady)
        after[window] = _redrawn(mask[window], steady - corner)
    return after


def _steadied(path: Points) -> Points:
    """Smooth a path, resampled to about one point per pixel; its ends move little."""
    from scipy.ndimage import gaussian_filter1d

    along = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))))
    positions = np.linspace(0, along[-1], max(3, round(along[-1]) + 1))
    even = np.stack([np.interp(positions, along, axis) for axis in path.T], 1)
    return np.asarray(gaussian_filter1d(even, _TREMOR, axis=0, mode="nearest"))


def _window(mask: Mask, path: Points) -> tuple[tuple[slice, ...], Points]:
    """Return the part of an image that holds mask and path, and its first corner."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    low, high = np.floor(path.min(0)), np.ceil(path.max(0)) + 1
    if rows.size:
        low = np.minimum(low, (rows[0], columns[0]))
        high = np.maximum(high, (rows[-1] + 1, columns[-1] + 1))
    low, high = (np.clip(corner, 0, mask.shape).astype(int) for corner in (low, high))
    return tuple(slice(*ends) for ends in zip(low, high, strict=True)), low.astype(float)


def _redrawn(mask: Mask, path: Points) -> Mask:
    drawn = _inside(path, mask.shape)
    edge = _nearest_edge(mask, path)
    if edge is None:
        return drawn
    area = _inside(edge, mask.shape)
    first, last = (int(((edge - end) ** 2).sum(1).argmin()) for end in path[[0, -1]])
    gap = float(np.linalg.norm(path[-1] - path[0]))
    skipped = min(abs(first - last), len(edge) - abs(first - last))
    is_closed = gap <= _CLOSED * len(path) and skipped <= _SHORT + 2 * gap
    if is_closed and _iou(area, drawn) >= _SAME:
        return _moved(mask, edge, area, drawn)
    if min(np.linalg.norm(edge[[first, last]] - path[[0, -1]], axis=1)) > gap:
        return mask | drawn
    return _moved(mask, edge, area, _joined(edge, area, path, first, last))


def _nearest_edge(mask: Mask, path: Points) -> Points | None:
    """Return the closed border nearest to most points of a path, without a repeated first point."""
    from scipy.spatial import cKDTree
    from skimage.measure import find_contours

    # With background around the image, borders at its edges are closed too.
    padded = np.pad(mask, 1).astype(np.float32)
    edges: list[Points] = [points[:-1] - 1 for points in find_contours(padded, 0.5)]  # type: ignore[no-untyped-call]
    if not edges:
        return None
    owners = np.repeat(np.arange(len(edges)), [len(edge) for edge in edges])
    nearest = owners[cKDTree(np.concatenate(edges)).query(path)[1]]
    return edges[int(np.bincount(nearest).argmax())]


def _joined(edge: Points, area: Mask, path: Points, first: int, last: int) -> Mask:
    """Return the area inside an edge after the path replaced a section between two points."""
    if first > last:
        first, last, path = last, first, path[::-1]
    between, beyond = edge[first : last + 1], np.concatenate((edge[last:], edge[: first + 1]))
    closed = ((path, beyond), (between, path[::-1]))
    areas = (_inside(np.concatenate(sections), area.shape) for sections in closed)
    return min(areas, key=lambda new: int((new ^ area).sum()))


def _moved(mask: Mask, edge: Points, before: Mask, after: Mask) -> Mask:
    """Replace the area inside an edge by another; the inside of a hole's edge is background."""
    added, removed = after & ~before, before & ~after
    return (mask & ~added) | removed if _is_hole(edge) else (mask | added) & ~removed


def _is_hole(edge: Points) -> bool:
    """Whether an edge surrounds a hole, by its direction: the mask is always on the same side."""
    rows, columns = edge.T
    return float(np.sum(rows * np.roll(columns, -1) - columns * np.roll(rows, -1))) > 0


def _inside(points: Points, shape: tuple[int, ...]) -> Mask:
    """Return the pixels inside a closed path, including loops where the path crosses itself."""
    from pycocotools import mask as coco_mask
    from scipy.ndimage import binary_fill_holes

    # In COCO the centre of the first pixel has the coordinates (0.5, 0.5).
    polygon = (points[:, ::-1] + 0.5).ravel().tolist()
    drawn = coco_mask.decode(coco_mask.frPyObjects([polygon], *shape))[..., 0]
    return np.asarray(binary_fill_holes(drawn))


def _iou(one: Mask, other: Mask) -> float:
    both = int((one | other).sum())
    return int((one & other).sum()) / both if both else 0.0
