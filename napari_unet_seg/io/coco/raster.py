"""Rasterisation of COCO annotations, by the rules of pycocotools."""

from __future__ import annotations

from itertools import islice
from operator import ne
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.read import whole
from napari_unet_seg.io.coco.rle import decode, pixels, pixels_of_each, read_rle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage


_TOGETHER = 32
"""Number of annotations drawn at once: many for speed, few for memory."""


class Drawn(NamedTuple):
    """An annotation and the pixels it covers."""

    annotation: Annotation
    label: int
    """Label value: the position of the category, from 1."""
    pixels: Array
    """Indices into the image's pixels in column-major order."""


class Shape(NamedTuple):
    """The usable parts of an annotation's segmentation."""

    polygons: list[list[float]]
    runs: list[Array]
    problem: str
    """Why the segmentation or a part of it cannot be drawn, or empty."""


def rasterise(
    dataset: CocoDataset,
    image_id: int,
    *,
    categories: Sequence[Category] | None = None,
    boxes: bool = False,
) -> Array:
    """Draw the annotations of one image as a label array.

    The annotations are drawn in the order of the file, later ones on top. Annotations that cannot
    be drawn are skipped; `inspect` reports them with the reasons.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`.
    image_id : int
        COCO's id of the image.
    categories : sequence of Category, optional
        Categories of the label values from 1, in order; by default those of the data set.
        Annotations of other categories are skipped.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.

    Returns
    -------
    array of shape (Y, X)
        uint8, or uint16 for more than 254 categories.
    """
    image = image_of(dataset, image_id)
    chosen = dataset.categories if categories is None else categories
    labels = np.zeros(image.height * image.width, np.uint8 if len(chosen) < 255 else np.uint16)
    for drawn in draw(dataset, image, chosen, boxes=boxes):
        labels[drawn.pixels] = drawn.label
    return from_columns(labels, image)


def image_of(dataset: CocoDataset, image_id: int) -> CocoImage:
    """Return the image with an id.

    Raises
    ------
    DataError
        If there is no image with this id.
    """
    try:
        return dataset.by_id[image_id]
    except KeyError:
        raise DataError(
            f"{dataset.path} has no image with the id {image_id}; open it again."
        ) from None


def from_columns(flat: Array, image: CocoImage) -> Array:
    """Reshape pixels in column-major order to an array of shape (Y, X)."""
    return np.ascontiguousarray(flat.reshape(image.width, image.height).T)


def draw(
    dataset: CocoDataset, image: CocoImage, categories: Sequence[Category], *, boxes: bool
) -> Iterator[Drawn]:
    """Yield the drawable annotations of an image with their pixels, in the order of the file."""
    values: dict[int | None, int] = {
        category.id: value for value, category in enumerate(categories, 1)
    }
    drawable = [
        (annotation, label)
        for annotation in dataset.annotations[image.id]
        if (label := values.get(whole(annotation.get("category_id")))) is not None
    ]
    for start in range(0, len(drawable), _TOGETHER):
        group = drawable[start : start + _TOGETHER]
        shapes = [read_shape(a, image.height, image.width, boxes=boxes) for a, _ in group]
        covered = covered_by_each(shapes, image.height, image.width)
        for (annotation, label), found in zip(group, covered, strict=True):
            yield Drawn(annotation, label, found)


def paint(plane: Array, drawn: Iterable[Drawn]) -> None:
    """Draw the labels of annotations on a plane of shape (Y, X), later ones on top.

    Pixels outside all annotations are not written, so that a sparse stack uses no memory for them.
    """
    waiting = iter(drawn)
    while group := list(islice(waiting, _TOGETHER)):
        columns, rows = np.divmod(np.concatenate([d.pixels for d in group]), plane.shape[0])
        labels = np.array([d.label for d in group], plane.dtype)
        # A pixel that occurs several times keeps the last label.
        plane[rows, columns] = np.repeat(labels, [len(d.pixels) for d in group])


def covered_by_each(shapes: Sequence[Shape], height: int, width: int) -> Iterator[Array]:
    """Yield the pixels of each shape, each once, as indices in column-major order."""
    polygons = [polygon for shape in shapes for polygon in shape.polygons]
    drawn = iter(_drawn(polygons, height, width))
    for shape in shapes:
        parts = [next(drawn) for _ in shape.polygons] + [pixels(runs) for runs in shape.runs]
        if len(parts) == 1:
            yield parts[0]
        else:
            yield np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def _drawn(polygons: list[list[float]], height: int, width: int) -> list[Array]:
    if not polygons:
        return []
    found = coco_mask.frPyObjects(polygons, height, width)
    return pixels_of_each(decode([rle["counts"] for rle in found]))


def read_shape(annotation: Annotation, height: int, width: int, *, boxes: bool) -> Shape:
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
        return Shape([], [], "its segmentation is neither polygons nor an RLE")
    if not isinstance(segmentation[0], list | dict):
        segmentation = [segmentation]
    return _parts(segmentation, height, width)


def _parts(parts: list[Any], height: int, width: int) -> Shape:
    shape = Shape([], [], "")
    problem = ""
    for part in parts:
        try:
            if isinstance(part, dict):
                shape.runs.append(read_rle(part, height, width))
            else:
                check_polygon(part, height, width)
                shape.polygons.append(part)
        except ValueError as error:
            problem = problem or str(error)
    return shape._replace(problem=problem)


def check_polygon(points: Any, height: int, width: int) -> None:
    """Check that a polygon can be drawn.

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
    for coordinates, size in ((points[0::2], width), (points[1::2], height)):
        low, high = min(coordinates), max(coordinates)
        if low >= size or high <= 0:
            raise ValueError("its polygon lies outside the image")
        if low < -size or high > 2 * size:
            raise ValueError("its polygon reaches far outside the image")


def _box(annotation: Annotation, height: int, width: int, *, boxes: bool) -> Shape:
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not set(map(type, box)) <= {int, float}:
        return Shape([], [], "it has neither a segmentation nor a box")
    if not boxes:
        return Shape([], [], "it has only a box")
    try:
        left, top, across, down = (float(value) for value in box)
    except OverflowError:
        return Shape([], [], "its box holds numbers without meaning")
    right, bottom = left + across, top + down
    return _parts([[left, top, right, top, right, bottom, left, bottom]], height, width)
