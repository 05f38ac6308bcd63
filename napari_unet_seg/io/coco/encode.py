"""Encoding of masks as segmentation, area and box of COCO annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from napari_unet_seg.config import CocoOptions
from napari_unet_seg.io.coco.geometry.polygons import outlines
from napari_unet_seg.io.coco.geometry.shapes import read_shape
from napari_unet_seg.io.coco.raster import covered_by_each

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Segmentation = list[list[float]] | dict[str, Any]


class Place(NamedTuple):
    """Where a mask lies in an image."""

    corner: tuple[int, int]
    """Row and column of the mask's first pixel."""
    shape: tuple[int, int]
    """Height and width of the image."""


@dataclass(slots=True)
class Encoder:
    """Encodes masks by `CocoOptions`, and counts the masks that were cut at holes."""

    options: CocoOptions = field(default_factory=CocoOptions)
    cut: int = 0
    """Number of masks with holes that were cut into polygons without holes."""

    def geometry(
        self, mask: Array, place: Place | None = None, *, crowd: bool = False
    ) -> dict[str, Any]:
        """Return `segmentation`, `area` and `bbox` of a mask of shape (Y, X) at a place.

        Area and box are those that pycocotools computes from the segmentation.
        """
        place = place or Place((0, 0), mask.shape)
        segmentation = self.segmentation(mask, place, crowd=crowd)
        exact = isinstance(segmentation, dict) or not self.options.tolerance
        if exact:
            rows, columns = np.nonzero(mask)
            bbox, area = _measured(rows, columns, place.corner)
        else:
            bbox, area = measure(segmentation, *place.shape)
        return {"segmentation": segmentation, "area": area, "bbox": bbox}

    def segmentation(
        self, mask: Array, place: Place | None = None, *, crowd: bool = False
    ) -> Segmentation:
        """Return a mask of shape (Y, X) at a place as polygons or a compressed RLE.

        With a tolerance of 0 pycocotools reads back the identical mask in both cases. Crowds are
        always RLE, as the COCO format requires.
        """
        place = place or Place((0, 0), mask.shape)
        form = "rle" if crowd else self.options.segmentation
        if form == "rle":
            return _rle(mask, place)
        polygons, cut = outlines(mask, self.options.tolerance, place.corner)
        if cut and form == "auto":
            return _rle(mask, place)
        self.cut += cut
        return polygons


def measure(segmentation: Segmentation, height: int, width: int) -> tuple[list[float], int]:
    """Return the bounding box (x, y, width, height) and the area that pycocotools computes."""
    shape = read_shape({"segmentation": segmentation}, height, width, boxes=False)
    (pixels,) = covered_by_each([shape], height, width)
    columns, rows = np.divmod(pixels, height)
    return _measured(rows, columns, (0, 0))


def _measured(rows: Array, columns: Array, corner: tuple[int, int]) -> tuple[list[float], int]:
    if not len(rows):
        return [0.0, 0.0, 0.0, 0.0], 0
    top, left = int(rows.min()), int(columns.min())
    size = int(columns.max()) + 1 - left, int(rows.max()) + 1 - top
    box = (left + corner[1], top + corner[0], *size)
    return [float(n) for n in box], len(rows)


def _rle(mask: Array, place: Place) -> dict[str, Any]:
    height, width = place.shape
    columns, rows = np.nonzero(np.asarray(mask).T)
    pixels = (columns + place.corner[1]) * height + rows + place.corner[0]
    starts = pixels[np.diff(pixels, prepend=-2) != 1]
    ends = pixels[np.diff(pixels, append=-2) != 1] + 1
    changes = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(changes[changes < height * width], prepend=0, append=height * width)
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}
