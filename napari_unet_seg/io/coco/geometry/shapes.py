"""Segmentations of COCO annotations, read in all forms of exporters, and checked before drawing."""

from __future__ import annotations

import os
from operator import ne
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.config import CocoLimits
from napari_unet_seg.io.coco.geometry.rle import read_rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.arrays import Array

SMALL = 2**20
"""Number of points up to which an outline is drawn by one call of pycocotools, which holds 16 bytes
for each; and of points and pixels up to which shapes are drawn together."""

VARIABLE = "NAPARI_UNET_SEG_COCO_"
"""Start of the names of the variables; the name of the limit follows in capitals."""

_UPSAMPLED = 5
"""Points of pycocotools in a pixel of an outline."""


class Shape(NamedTuple):
    """The usable parts of an annotation's segmentation."""

    polygons: list[list[float]]
    runs: list[Array]
    problem: str
    """Why the segmentation or a part of it cannot be drawn, or empty."""
    size: int
    """Upper limit of the number of points and pixels to draw."""


def limits() -> CocoLimits:
    """Return the limits of COCO files, as environment variables may have changed them.

    Raises
    ------
    ConfigError
        If a variable holds no allowed number.
    """
    names = {name: f"{VARIABLE}{name.upper()}" for name in CocoLimits.model_fields}
    given = {name: os.environ[key] for name, key in names.items() if key in os.environ}
    return CocoLimits.parse(given, f"The environment ({VARIABLE}…)")


def raising(name: str) -> str:
    """Return how a limit can be raised, for a message."""
    return f"the limit is {getattr(limits(), name):,}, and {VARIABLE}{name.upper()} raises it"


def read_shape(annotation: Mapping[str, Any], height: int, width: int, *, boxes: bool) -> Shape:
    """Read and check a segmentation, in any of the forms that exporters write.

    These are a list of polygons, one flat polygon, an RLE with its runs as a list or a string, a
    list of RLEs, or only a box. Every part is checked before it reaches pycocotools.
    """
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        segmentation = [segmentation]
    if not segmentation:
        return _box(annotation, height, width, boxes=boxes)
    if not isinstance(segmentation, list):
        return _nothing("its segmentation is neither polygons nor an RLE")
    if not isinstance(segmentation[0], list | dict):
        segmentation = [segmentation]
    return _parts(segmentation, height, width)


def _nothing(problem: str) -> Shape:
    return Shape([], [], problem, 0)


def _parts(parts: list[Any], height: int, width: int) -> Shape:
    polygons: list[list[float]] = []
    found: list[Array] = []
    problem, size = "", 0
    for part in parts:
        try:
            if isinstance(part, dict):
                runs = read_rle(part, height, width)
                size += len(runs) + int(runs[1::2].sum())
                found.append(runs)
            else:
                size += check_polygon(part, height, width)
                polygons.append(part)
        except ValueError as error:
            problem = problem or str(error)
    return Shape(polygons, found, problem, size)


def check_polygon(points: Any, height: int, width: int) -> int:
    """Check that a polygon can be drawn; return an upper limit of its points and pixels.

    pycocotools reads four numbers as a box, and allocates memory by the length of an edge, so that
    polygons are checked before. Parts outside the image by less than its size are cut off as usual.

    Raises
    ------
    ValueError
        If the polygon cannot be drawn; the text is the reason.
    """
    if not isinstance(points, list) or not set(map(type, points)) <= {int, float}:
        raise ValueError("its polygon holds something other than numbers")
    if len(points) % 2:
        raise ValueError("its polygon has an odd count of numbers")
    if len(points) < 6:
        raise ValueError("its polygon has fewer than three points")
    if any(map(ne, points, points)):
        raise ValueError("its polygon holds something other than numbers")
    spans = []
    for coordinates, size in ((points[0::2], width), (points[1::2], height)):
        low, high = min(coordinates), max(coordinates)
        if low >= size or high <= 0:
            raise ValueError("its polygon lies outside the image")
        if low < -size or high > 2 * size:
            raise ValueError("its polygon reaches far outside the image")
        spans.append(high - low)
    longest = int(_UPSAMPLED * max(spans)) + 3
    outline = len(points) // 2 * longest
    if outline > SMALL:
        outline = _checked_length(points)
    return outline + int((spans[0] + 2) * (spans[1] + 2))


def _checked_length(points: list[float]) -> int:
    outline = int(steps(points).sum())
    if outline > limits().outline * _UPSAMPLED:
        pixels = outline // _UPSAMPLED
        raise ValueError(f"its polygon has an outline of {pixels:,} pixels ({raising('outline')})")
    return outline


def steps(polygon: Sequence[float]) -> Array:
    """Return the number of points in which pycocotools walks each edge of a polygon."""
    corners = (_UPSAMPLED * np.array(polygon, float).reshape(-1, 2) + 0.5).astype(np.int64)
    edges = np.abs(np.diff(corners, axis=0, append=corners[:1]))
    return np.asarray(edges.max(axis=1) + 1)


def _box(annotation: Mapping[str, Any], height: int, width: int, *, boxes: bool) -> Shape:
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not set(map(type, box)) <= {int, float}:
        return _nothing("it has neither a segmentation nor a box")
    if not boxes:
        return _nothing("it has only a box")
    try:
        left, top, across, down = (float(value) for value in box)
    except OverflowError:
        return _nothing("its box holds numbers without meaning")
    right, bottom = left + across, top + down
    return _parts([[left, top, right, top, right, bottom, left, bottom]], height, width)
