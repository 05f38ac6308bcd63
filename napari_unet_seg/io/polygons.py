"""Masks as COCO segmentations that pycocotools reads back bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

Array = np.ndarray[Any, np.dtype[Any]]

_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Directions along the pixel edges as (y, x): right, down, left, up."""


def trace(mask: Array) -> list[Array]:
    """Follow the pixel edges around every 4-connected part of a mask.

    The foreground is on the right hand. Where two pixels touch at a corner alone, the way turns
    right, so that each stays in a part of its own and no ring crosses itself.

    Parameters
    ----------
    mask : array of shape (Y, X)
        Non-zero is foreground.

    Returns
    -------
    list of arrays of shape (n, 2)
        Corners (x, y) of the rings: clockwise around a part, anticlockwise around a hole.
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
    """Tell for each vertex and direction whether an edge starts there, of shape (Y, X, 4)."""
    height, width = padded.shape
    edges = np.zeros((height + 1, width + 1, 4), bool)
    edges[1:-1, :-1, 0] = padded[1:] & ~padded[:-1]
    edges[:-1, 1:-1, 1] = padded[:, :-1] & ~padded[:, 1:]
    edges[1:-1, 1:, 2] = padded[:-1] & ~padded[1:]
    edges[1:, 1:-1, 3] = padded[:, 1:] & ~padded[:, :-1]
    return edges


def _following(edges: Array, columns: int) -> dict[int, int]:
    """Map each edge, named vertex * 4 + direction, to the one after it."""
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


def encode(mask: Array, *, as_rle: bool = False) -> list[list[int]] | dict[str, Any]:
    """Encode a mask as a COCO segmentation.

    Parameters
    ----------
    mask : array of shape (Y, X)
        Non-zero is foreground.
    as_rle : bool
        Write a compressed RLE in any case, as is the standard for crowds.

    Returns
    -------
    list of polygons or dict
        Polygons along the pixel edges where the mask has no hole, else a compressed RLE; either
        way pycocotools reads back the identical mask.
    """
    mask = np.asarray(mask) != 0
    polygons = None if as_rle else _polygons(mask)
    if polygons is not None:
        return polygons
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def _polygons(mask: Array) -> list[list[int]] | None:
    """Return the polygons, or None where there is a hole."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    rings = trace(mask[top : rows[-1] + 1, left : columns[-1] + 1])
    if any(_signed_area(ring) < 0 for ring in rings):
        return None
    rings.sort(key=lambda ring: tuple(ring.min(axis=0)))
    return [np.add(ring, (left, top)).ravel().tolist() for ring in rings]


def measure(
    segmentation: list[list[int]] | dict[str, Any], height: int, width: int
) -> tuple[list[float], int]:
    """Return the bounding box (x, y, width, height) and the area as pycocotools counts them."""
    if isinstance(segmentation, dict):
        rle = {"size": segmentation["size"], "counts": segmentation["counts"].encode("ascii")}
    else:
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    return [float(n) for n in coco_mask.toBbox(rle)], int(coco_mask.area(rle))
