"""COCO annotations as label values of their own, counted through all images of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.io.coco.raster import Drawn, draw, paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage


_MOST_UINT16 = 2**15


class Instance(NamedTuple):
    """What a label value stands for."""

    image: CocoImage
    category: Category
    annotation: Annotation


@dataclass(frozen=True, eq=False)
class Instances:
    """The annotations of a stack of images; value i of the mask is the i-th, from 1."""

    dataset: CocoDataset
    boxes: bool
    """Whether annotations that have only a box are among them."""
    rows: tuple[Instance, ...]
    before: dict[int, int]
    """By image id: how many annotations the images before it have."""

    def drawn(self, image: CocoImage) -> tuple[Drawn, ...]:
        """Return an image's annotations with their pixels; their label is the value."""
        before = self.before[image.id]
        found = draw(self.dataset, image, self.dataset.categories, boxes=self.boxes)
        return tuple(item._replace(label=before + n) for n, item in enumerate(found, 1))


def draw_instances(
    dataset: CocoDataset, images: Sequence[CocoImage], stack: Array, *, boxes: bool = False
) -> Instances:
    """Draw the annotations of images of one size, each as a value of its own.

    They are drawn in the file's order, so the later ones lie on top; one that lies wholly below
    others has a value too.

    Parameters
    ----------
    dataset : CocoDataset
        What `read_coco` returned.
    images : sequence of CocoImage
        Of one size.
    stack : array of shape (N, Y, X)
        Zeros, one plane an image, of `instance_dtype`; drawn on in place.
    boxes : bool
        Draw annotations that have only a box as a rectangle.
    """
    rows: list[Instance] = []
    before: dict[int, int] = {}
    for plane, image in zip(stack, images, strict=True):
        before[image.id] = len(rows)
        found = draw(dataset, image, dataset.categories, boxes=boxes)
        paint(plane, _numbered(found, dataset, image, rows))
    return Instances(dataset, boxes, tuple(rows), before)


def _numbered(
    found: Iterable[Drawn], dataset: CocoDataset, image: CocoImage, rows: list[Instance]
) -> Iterator[Drawn]:
    """Give each annotation the next number, and note what it stands for."""
    for item in found:
        rows.append(Instance(image, dataset.categories[item.label - 1], item.annotation))
        yield item._replace(label=len(rows))


def instance_dtype(dataset: CocoDataset, images: Sequence[CocoImage]) -> np.dtype[Any]:
    """Return the dtype for a mask of instances: uint16 with room for new ones, else uint32."""
    most = sum(len(dataset.annotations[image.id]) for image in images)
    return np.dtype(np.uint16 if most < _MOST_UINT16 else np.uint32)
