"""A mask whose border is drawn again for a stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.correct.shapes import Mask

Points = np.ndarray[Any, np.dtype[np.float64]]

_CLOSED = 0.2
"""Gap that a path may leave that goes all around, as a share of its length."""
_SHORT = 4
"""Points of a border, beyond twice the gap, that a path may leave out that goes all around."""
_TREMOR = 1.0
"""Standard deviation of the Gaussian that evens out a path, in pixels."""
_SAME = 0.25
"""IoU with what it replaces of a path that goes all around."""


def redraw_border(mask: Mask, path: Points) -> Mask:
    """Let the border of a mask follow a path.

    The ends of the path are joined with the border nearest to it, and the path takes the place of
    the stretch between them: the one of the two stretches that changes fewer pixels. A path may
    cross the border as often as it likes, so that one path adds here and takes away there; the
    border of a hole is redrawn in the same way. A path that goes all around is the new border of
    what it matches, and a new object where it matches nothing. The tremor of the hand, which is
    what is finer than a pixel or so, is evened out.

    Interactive correction by a line, of which it is decided by itself whether it adds or takes
    away, is after Heimann et al. 2004 ("Interaktive Segmentierung von zweidimensionalen
    Datensätzen mit Hilfe von aktiven Konturen", Bildverarbeitung für die Medizin).

    Parameters
    ----------
    mask : array of bool
        With axes YX.
    path : array of float
        Points of shape (N, 2), rows and columns; the middle of a pixel is a whole number. They may
        lie outside the image.

    Returns
    -------
    array of bool
        The new mask; as it was if the path is a single point.
    """
    after = mask.copy()
    if len(path) > 1:
        steady = np.clip(_steadied(path), -0.5, np.array(mask.shape) - 0.5)
        window, corner = _window(mask, steady)
        after[window] = _redrawn(mask[window], steady - corner)
    return after


def _steadied(path: Points) -> Points:
    """A path with a point about every pixel, evened out; its ends stay near where they were."""
    from scipy.ndimage import gaussian_filter1d

    along = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))))
    places = np.linspace(0, along[-1], max(3, round(along[-1]) + 1))
    even = np.stack([np.interp(places, along, axis) for axis in path.T], 1)
    return np.asarray(gaussian_filter1d(even, _TREMOR, axis=0, mode="nearest"))


def _window(mask: Mask, path: Points) -> tuple[tuple[slice, ...], Points]:
    """The part of an image that holds mask and path, and its corner."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    low, high = np.floor(path.min(0)), np.ceil(path.max(0)) + 1
    if rows.size:
        low = np.minimum(low, (rows[0], columns[0]))
        high = np.maximum(high, (rows[-1] + 1, columns[-1] + 1))
    low, high = (np.clip(place, 0, mask.shape).astype(int) for place in (low, high))
    return tuple(slice(*ends) for ends in zip(low, high, strict=True)), low.astype(float)


def _redrawn(mask: Mask, path: Points) -> Mask:
    drawn = _inside(path, mask.shape)
    edge = _nearest_edge(mask, path)
    if edge is None:
        return drawn
    area = _inside(edge, mask.shape)
    first, last = (int(((edge - end) ** 2).sum(1).argmin()) for end in path[[0, -1]])
    gap = float(np.linalg.norm(path[-1] - path[0]))
    left_out = min(abs(first - last), len(edge) - abs(first - last))
    goes_around = gap <= _CLOSED * len(path) and left_out <= _SHORT + 2 * gap
    if goes_around and _iou(area, drawn) >= _SAME:
        return _moved(mask, edge, area, drawn)
    if min(np.linalg.norm(edge[[first, last]] - path[[0, -1]], axis=1)) > gap:
        return mask | drawn
    return _moved(mask, edge, area, _joined(edge, area, path, first, last))


def _nearest_edge(mask: Mask, path: Points) -> Points | None:
    """The closed border that is nearest to most of a path, without its first point again."""
    from scipy.spatial import cKDTree
    from skimage.measure import find_contours

    # Background all around, so that borders at the end of the image are closed too.
    padded = np.pad(mask, 1).astype(np.float32)
    edges: list[Points] = [points[:-1] - 1 for points in find_contours(padded, 0.5)]  # type: ignore[no-untyped-call]
    if not edges:
        return None
    whose = np.repeat(np.arange(len(edges)), [len(edge) for edge in edges])
    nearest = whose[cKDTree(np.concatenate(edges)).query(path)[1]]
    return edges[int(np.bincount(nearest).argmax())]


def _joined(edge: Points, area: Mask, path: Points, first: int, last: int) -> Mask:
    """What an edge goes around once the path has the place of a stretch between two points."""
    if first > last:
        first, last, path = last, first, path[::-1]
    between, beyond = edge[first : last + 1], np.concatenate((edge[last:], edge[: first + 1]))
    ways = ((path, beyond), (between, path[::-1]))
    areas = (_inside(np.concatenate(way), area.shape) for way in ways)
    return min(areas, key=lambda new: int((new ^ area).sum()))


def _moved(mask: Mask, edge: Points, before: Mask, after: Mask) -> Mask:
    """Put an area in the place of what an edge goes around; of a hole there is the mask outside."""
    added, removed = after & ~before, before & ~after
    return (mask & ~added) | removed if _is_hole(edge) else (mask | added) & ~removed


def _is_hole(edge: Points) -> bool:
    """Whether the mask lies outside: borders are found with the mask to one side of them."""
    rows, columns = edge.T
    return float(np.sum(rows * np.roll(columns, -1) - columns * np.roll(rows, -1))) > 0


def _inside(points: Points, shape: tuple[int, ...]) -> Mask:
    """The pixels within a closed path, also those in loops where it crosses itself."""
    from pycocotools import mask as coco_mask
    from scipy.ndimage import binary_fill_holes

    # The middle of COCO's first pixel is at a half.
    polygon = (points[:, ::-1] + 0.5).ravel().tolist()
    drawn = coco_mask.decode(coco_mask.frPyObjects([polygon], *shape))[..., 0]
    return np.asarray(binary_fill_holes(drawn))


def _iou(one: Mask, other: Mask) -> float:
    both = int((one | other).sum())
    return int((one & other).sum()) / both if both else 0.0
