"""Encoding of masks as segmentation, area and box of COCO annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_mask

from napari_unet_seg.config import CocoOptions
from napari_unet_seg.io.coco.polygons import outlines

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Segmentation = list[list[float]] | dict[str, Any]


@dataclass(slots=True)
class Encoder:
    """Encodes masks by `CocoOptions`, and counts the masks that were cut at holes."""

    options: CocoOptions = field(default_factory=CocoOptions)
    cut: int = 0
    """Number of masks with holes that were cut into polygons without holes."""

    def geometry(self, mask: Array, *, crowd: bool = False) -> dict[str, Any]:
        """Return `segmentation`, `area` and `bbox` of a mask of shape (Y, X).

        Area and box are those that pycocotools computes from the segmentation.
        """
        segmentation = self.segmentation(mask, crowd=crowd)
        bbox, area = measure(segmentation, *mask.shape)
        return {"segmentation": segmentation, "area": area, "bbox": bbox}

    def segmentation(self, mask: Array, *, crowd: bool = False) -> Segmentation:
        """Return a mask of shape (Y, X) as polygons or a compressed RLE.

        With a tolerance of 0 pycocotools reads back the identical mask in both cases. Crowds are
        always RLE, as the COCO format requires.
        """
        form = "rle" if crowd else self.options.segmentation
        if form == "rle":
            return _rle(mask)
        polygons, cut = outlines(mask, self.options.tolerance)
        if cut and form == "auto":
            return _rle(mask)
        self.cut += cut
        return polygons


def measure(segmentation: Segmentation, height: int, width: int) -> tuple[list[float], int]:
    """Return the bounding box (x, y, width, height) and the area that pycocotools computes."""
    if isinstance(segmentation, dict):
        rle = {"size": segmentation["size"], "counts": segmentation["counts"].encode("ascii")}
    else:
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    return [float(n) for n in coco_mask.toBbox(rle)], int(coco_mask.area(rle))


def _rle(mask: Array) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(np.asarray(mask) != 0, np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}
