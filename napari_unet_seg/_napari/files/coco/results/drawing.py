"""A model's results drawn as the labels of a stack of images."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.instances import row_of
from napari_unet_seg.io.coco.instances import Instance, dtype_for
from napari_unet_seg.io.coco.raster import Drawn, draw, paint
from napari_unet_seg.io.masks.labels import label_dtype
from napari_unet_seg.io.masks.sparse import sparse_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg._napari.files.coco.results.dialog import ResultsChoice
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Id
    from napari_unet_seg.io.coco.results import Results


class DrawnLabels(NamedTuple):
    """The labels of the results that were chosen, and the rows of their table."""

    labels: Array
    rows: list[tuple[Any, ...]]
    """A row for each single result that is drawn; empty for one label for each category."""


def draw_results(
    results: Results, ids: Sequence[Id], size: tuple[int, ...], choice: ResultsChoice
) -> DrawnLabels:
    """Draw results on images of one size.

    A single result has the same label at every threshold.

    Parameters
    ----------
    results : Results
        The results on their data set.
    ids : sequence of int or str
        The ids of the images.
    size : tuple of int
        Their height and width.
    choice : ResultsChoice
        Which results are drawn, and as what.
    """
    dataset = results.above(choice.threshold, boxes=choice.boxes)
    categories = dataset.categories
    numbers = results.numbers(ids) if choice.values == "instances" else {}
    dtype = dtype_for(len(numbers)) if numbers else label_dtype(len(categories))
    labels = sparse_zeros((len(ids), *size), dtype)
    rows: list[tuple[Any, ...]] = []

    def numbered(found: Iterator[Drawn], image: Any) -> Iterator[Drawn]:
        for item in found:
            value = numbers[item.annotation["id"]]
            one = Instance(image, categories[item.label - 1], item.annotation)
            rows.append(row_of(value, one))
            yield item._replace(label=value)

    for plane, identity in zip(labels, ids, strict=True):
        image = dataset.by_id[identity]
        found = iter(draw(dataset, image, categories, boxes=choice.boxes))
        paint(plane, numbered(found, image) if numbers else found)
    return DrawnLabels(labels, rows)


def checksum(labels: Array) -> int:
    """Return a number that changes when labels are edited."""
    return zlib.crc32(np.ascontiguousarray(labels).data)
