"""Masks as polygons along the pixel edges, which pycocotools draws as the identical mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Directions along the pixel edges as (y, x): right, down, left, up."""


def trace(mask: Array) -> list[Array]:
    """Trace the pixel edges around every 4-connected component of a mask.

    The foreground is on the right of the direction of the ring. Where two pixels share only a
    corner, the ring turns right, so that the pixels stay in separate components and no ring crosses
    itself.

    Parameters
    ----------
    mask : array of shape (Y, X)
        Non-zero is foreground.

    Returns
    -------
    list of arrays of shape (n, 2)
        Corners (x, y) of the rings: clockwise around a component, anticlockwise around a hole.
    """
    padded = np.pad(np.asarray(mask) != 0, 1)
    starts = _edges(padded)
    rings: list[Array] = []
    following = _following(starts, padded.shape[1] + 1)
    while following:
        first, here = following.popitem()
        edges = [first]
        while here != first:
            edges.append(here)
            here = following.pop(here)
        rings.append(_corners(np.array(edges), padded.shape[1] + 1))
    return rings


def _edges(padded: Array) -> Array:
    """Return whether an edge starts at each vertex in each direction, of shape (Y, X, 4)."""
    height, width = padded.shape
    edges = np.zeros((height + 1, width + 1, 4), bool)
    edges[1:-1, :-1, 0] = padded[1:] & ~padded[:-1]
    edges[:-1, 1:-1, 1] = padded[:, :-1] & ~padded[:, 1:]
    edges[1:-1, 1:, 2] = padded[:-1] & ~padded[1:]
    edges[1:, 1:-1, 3] = padded[:, 1:] & ~padded[:, :-1]
    return edges


def _following(edges: Array, columns: int) -> dict[int, int]:
    """Map each edge, numbered vertex * 4 + direction, to the next edge of its ring."""
    flat = edges.ravel()
    names = np.flatnonzero(flat)
    direction = names % 4
    steps = np.array([dy * columns + dx for dy, dx in _STEPS])
    vertex = (names // 4 + steps[direction]) * 4
    right, ahead, left = (vertex + (direction + turn) % 4 for turn in (1, 0, 3))
    after = np.where(flat[right], right, np.where(flat[ahead], ahead, left))
    return dict(zip(names.tolist(), after.tolist(), strict=True))


def _corners(edges: Array, columns: int) -> Array:
    direction = edges % 4
    vertices = edges[direction != np.roll(direction, 1)] // 4
    return np.stack([vertices % columns - 1, vertices // columns - 1], axis=1)


def _signed_area(ring: Array) -> int:
    """Positive for clockwise rings, with y downwards."""
    following = np.roll(ring, -1, axis=0)
    return int((ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]).sum())


class Outlines(NamedTuple):
    """Polygons whose union is a mask."""

    polygons: list[list[float]]
    """In the flat form of COCO: x, y, x, y, …"""
    cut: bool
    """Whether the mask had holes, at which it was cut into pieces."""


def outlines(mask: Array, tolerance: float = 0, corner: tuple[int, int] = (0, 0)) -> Outlines:
    """Return polygons along the pixel edges whose union is the mask.

    Since a COCO polygon cannot have holes, a mask with holes is cut into pieces at the holes.

    Parameters
    ----------
    mask : array of shape (Y, X)
        Non-zero is foreground.
    tolerance : float
        Largest deviation in pixels of an outline with fewer corners (Douglas and Peucker 1973);
        pycocotools draws the identical mask only at 0.
    corner : (int, int)
        Row and column of the mask's first pixel in the image.
    """
    cropped, (left, top) = _cropped(mask)
    rings = trace(cropped)
    pieces = _pieces(cropped, rings)
    placed = [np.add(ring, (left + corner[1], top + corner[0])) for ring in pieces]
    placed.sort(key=lambda ring: tuple(ring.min(axis=0)))
    polygons = [_simpler(ring, tolerance).ravel().tolist() for ring in placed]
    return Outlines(polygons, cut=pieces is not rings)


def _cropped(mask: Array) -> tuple[Array, tuple[int, int]]:
    """Return the part of a mask that holds foreground, and its corner (x, y)."""
    mask = np.asarray(mask) != 0
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return mask[:0, :0], (0, 0)
    top, left = int(rows[0]), int(columns[0])
    return mask[top : rows[-1] + 1, left : columns[-1] + 1], (left, top)


def _pieces(mask: Array, rings: list[Array]) -> list[Array]:
    """Return the rings of a mask, or of pieces of it that have no holes."""
    holes = sorted(int(ring[:, 0].min()) for ring in rings if _signed_area(ring) < 0)
    if not holes:
        return rings
    # Cut where the middle hole begins: this opens it, and puts about half of the others on each
    # side.
    cut = holes[len(holes) // 2]
    left, right = mask[:, :cut], mask[:, cut:]
    moved = [np.add(ring, (cut, 0)) for ring in _pieces(right, trace(right))]
    return _pieces(left, trace(left)) + moved


def _simpler(ring: Array, tolerance: float) -> Array:
    if not tolerance:
        return ring
    from skimage.measure import approximate_polygon  # slow to import, and rarely needed

    closed = np.concatenate([ring, ring[:1]])
    simple: Array = approximate_polygon(closed, tolerance)[:-1]  # type: ignore[no-untyped-call]
    # A ring as small as the tolerance would vanish.
    return simple if len(simple) > 2 else ring
