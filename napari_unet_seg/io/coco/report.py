"""Report on a COCO file: its content, and the entries that cannot be used."""

from __future__ import annotations

import reprlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.geometry.shapes import read_shape
from napari_unet_seg.io.coco.raster import covered_by_each, draw
from napari_unet_seg.io.common.ids import identity
from napari_unet_seg.io.images.photographs import image_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.geometry.shapes import Shape
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage, Problem


@dataclass(frozen=True, slots=True)
class CocoReport:
    """Numbers of images and annotations, and skipped entries."""

    found: int
    """Image files that exist."""
    missing: tuple[str, ...]
    """File names of missing images."""
    usable: tuple[CocoImage, ...]
    """Images whose file is readable and has the size in the COCO file."""
    annotations: dict[Category, int]
    """Number of drawable annotations, by category."""
    sizes: Counter[tuple[int, int]]
    """Usable images by (height, width)."""
    skipped: tuple[Problem, ...]
    """Skipped entries, including missing images, and the reasons."""


def inspect(dataset: CocoDataset, *, boxes: bool = False) -> CocoReport:
    """Check all images and annotations of a COCO file; only the headers of images are read.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`.
    boxes : bool
        Whether annotations that have only a box count as usable.
    """
    skipped = list(dataset.problems)
    usable: list[CocoImage] = []
    for image in dataset.images:
        if problem := image_problem(image):
            skipped.append((image.file_name, problem))
        else:
            usable.append(image)
    counts = dict.fromkeys(dataset.categories, 0)
    by_id: dict[Id | None, Category] = {c.id: c for c in dataset.categories}
    for image in dataset.images:
        for annotation in dataset.annotations[image.id]:
            drawable, problem = _judge(annotation, image, by_id, boxes=boxes)
            if drawable:
                counts[by_id[identity(annotation["category_id"])]] += 1
            if problem:
                skipped.append((_name(annotation, image), problem))
    missing = tuple(image.file_name for image in dataset.images if image.path is None)
    return CocoReport(
        len(dataset.images) - len(missing),
        missing,
        tuple(usable),
        counts,
        Counter((image.height, image.width) for image in usable),
        tuple(skipped),
    )


class Overlaps(NamedTuple):
    """Numbers of annotations that later annotations of the same image cover."""

    images: int
    partly: int
    """Number of annotations that are partly covered."""
    wholly: int
    """Number of annotations that are completely covered."""

    def __str__(self) -> str:
        """Return a sentence for the user; empty if no annotation is covered."""
        if not self.images:
            return ""
        hidden = f", {self.wholly} of them completely" if self.wholly else ""
        return (
            f"In {self.images} images later annotations cover {self.partly + self.wholly} others"
            f"{hidden}; an export to COCO keeps them complete."
        )


def overlaps(dataset: CocoDataset, images: Iterable[CocoImage], *, boxes: bool = False) -> Overlaps:
    """Count the annotations that later ones cover when they are drawn as labels.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`.
    images : iterable of CocoImage
        Images that `inspect` found usable; the size of other images may be wrong.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.
    """
    counted = partly = wholly = 0
    for image in images:
        seen = _seen(dataset, image, boxes=boxes)
        partly += (some := sum(0 < share < 1 for share in seen))
        wholly += (none := sum(share == 0 for share in seen))
        counted += bool(some or none)
    return Overlaps(counted, partly, wholly)


def _seen(dataset: CocoDataset, image: CocoImage, *, boxes: bool) -> list[float]:
    """Return the share of the pixels of each annotation that no later one covers."""
    if len(dataset.annotations[image.id]) < 2:
        return []
    # Only the numbers of pixels are kept: all pixels of all annotations can be far more than the
    # image has.
    areas = [0]
    owner = np.zeros(image.height * image.width, np.int32)
    for index, item in enumerate(draw(dataset, image, dataset.categories, boxes=boxes), 1):
        owner[item.pixels] = index
        areas.append(len(item.pixels))
    seen = np.bincount(owner, minlength=len(areas)).tolist()
    return [part / area for part, area in zip(seen[1:], areas[1:], strict=True) if area]


def image_problem(image: CocoImage) -> str:
    """Return the reason why an image cannot be used, or empty."""
    if image.path is None:
        return "its file is missing"
    try:
        height, width = image_size(image.path)
    except DataError as error:
        return str(error)
    if (height, width) != (image.height, image.width):
        return (
            f"its file has {width} × {height} pixels and the COCO file says "
            f"{image.width} × {image.height}"
        )
    return ""


def _judge(
    annotation: Annotation, image: CocoImage, by_id: dict[Id | None, Category], *, boxes: bool
) -> tuple[bool, str]:
    if identity(annotation.get("category_id")) not in by_id:
        given = reprlib.repr(annotation.get("category_id"))
        return False, f"its category {given} is not in the file"
    shape = read_shape(annotation, image.height, image.width, boxes=boxes)
    if _thin(shape.polygons) and not _covers(shape, image):
        return False, shape.problem or "it covers no pixel"
    return bool(shape.polygons or shape.runs), shape.problem


def _covers(shape: Shape, image: CocoImage) -> bool:
    (covered,) = covered_by_each([shape], image.height, image.width)
    return len(covered) > 0


def _thin(polygons: list[list[float]]) -> bool:
    """Whether every polygon is so thin that it may cover no pixel centre."""
    return bool(polygons) and all(
        max(p[0::2]) - min(p[0::2]) < 1 or max(p[1::2]) - min(p[1::2]) < 1 for p in polygons
    )


def _name(annotation: Annotation, image: CocoImage) -> str:
    return f"annotation {annotation.get('id')} of {image.file_name}"
