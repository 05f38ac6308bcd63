"""COCO annotations as instances: each has its own label value, through all images of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.io.coco.raster import Drawn, draw, paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage


_MOST_UINT16 = 2**15


class Instance(NamedTuple):
    """The annotation and category of a label value."""

    image: CocoImage
    category: Category
    annotation: Annotation


@dataclass(frozen=True, eq=False)
class Instances:
    """The annotations of a stack of images; label value i of the mask is the i-th row, from 1."""

    dataset: CocoDataset
    boxes: bool
    """Whether annotations that have only a box are among them."""
    rows: tuple[Instance, ...]
    before: dict[Id, int]
    """Number of annotations of the images before an image, by image id."""

    def drawn(self, image: CocoImage) -> Iterator[Drawn]:
        """Yield the annotations of an image with their pixels and label values."""
        before = self.before[image.id]
        found = draw(self.dataset, image, self.dataset.categories, boxes=self.boxes)
        return (item._replace(label=before + n) for n, item in enumerate(found, 1))


def draw_instances(
    dataset: CocoDataset, images: Sequence[CocoImage], stack: Array, *, boxes: bool = False
) -> Instances:
    """Draw the annotations of images of one size, each with its own label value.

    Annotations are drawn in the order of the file, later ones on top. An annotation that is
    completely covered by others has a label value too.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`.
    images : sequence of CocoImage
        Images of one size.
    stack : array of shape (N, Y, X)
        Zeros of `instance_dtype`, one plane per image; drawn on in place.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.
    """
    rows: list[Instance] = []
    before: dict[Id, int] = {}
    for plane, image in zip(stack, images, strict=True):
        before[image.id] = len(rows)
        found = draw(dataset, image, dataset.categories, boxes=boxes)
        paint(plane, _numbered(found, dataset, image, rows))
    return Instances(dataset, boxes, tuple(rows), before)


def _numbered(
    found: Iterable[Drawn], dataset: CocoDataset, image: CocoImage, rows: list[Instance]
) -> Iterator[Drawn]:
    """Number the annotations, and append a row for each."""
    for item in found:
        rows.append(Instance(image, dataset.categories[item.label - 1], item.annotation))
        yield item._replace(label=len(rows))


def instance_dtype(dataset: CocoDataset, images: Sequence[CocoImage]) -> np.dtype[Any]:
    """Return the dtype of a mask of instances: uint16 if new instances fit too, else uint32."""
    return dtype_for(sum(len(dataset.annotations[image.id]) for image in images))


def dtype_for(most: int) -> np.dtype[Any]:
    """Return the dtype of a mask of so many instances."""
    return np.dtype(np.uint16 if most < _MOST_UINT16 else np.uint32)
