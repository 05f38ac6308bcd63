"""Rasterisation of COCO annotations, by the rules of pycocotools."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.geometry.rle import decode, decode_one, pixels_of_all, pixels_of_each
from napari_unet_seg.io.coco.geometry.shapes import SMALL, read_shape, steps
from napari_unet_seg.io.coco.read import label_values
from napari_unet_seg.io.common.ids import identity
from napari_unet_seg.io.masks.labels import label_dtype

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.geometry.shapes import Shape
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


def rasterise(dataset: CocoDataset, image_id: Id, *, boxes: bool = False) -> Array:
    """Draw the annotations of one image as a label array.

    The annotations are drawn in the order of the file, later ones on top. Annotations that cannot
    be drawn are skipped; `inspect` reports them with the reasons.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`.
    image_id : int or str
        COCO's id of the image.
    boxes : bool
        Whether annotations that have only a box are drawn as rectangles.

    Returns
    -------
    array of shape (Y, X)
        The smallest of uint8, uint16 and uint32 that holds all categories and `IGNORE_INDEX`.
    """
    image = image_of(dataset, image_id)
    labels = np.zeros(image.height * image.width, label_dtype(len(dataset.categories)))
    for drawn in draw(dataset, image, dataset.categories, boxes=boxes):
        labels[drawn.pixels] = drawn.label
    return from_columns(labels, image)


def image_of(dataset: CocoDataset, image_id: Id) -> CocoImage:
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
    values = dataset.values if categories is dataset.categories else label_values(categories)
    drawable = [
        (annotation, label)
        for annotation in dataset.annotations[image.id]
        if (label := values.get(identity(annotation.get("category_id")))) is not None
    ]
    shapes = (read_shape(a, image.height, image.width, boxes=boxes) for a, _ in drawable)
    covered = covered_by_each(shapes, image.height, image.width)
    for (annotation, label), found in zip(drawable, covered, strict=True):
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


def covered_by_each(shapes: Iterable[Shape], height: int, width: int) -> Iterator[Array]:
    """Yield the pixels of each shape, each once, as indices in column-major order.

    Small shapes are drawn together, which takes a tenth of the time; of large ones only one is held
    in memory.
    """
    group: list[Shape] = []
    size = 0
    for shape in shapes:
        size += shape.size
        if group and (size > SMALL or len(group) == _TOGETHER):
            yield from _drawn_together(group, height, width)
            group, size = [], shape.size
        if shape.size > SMALL:
            yield _drawn_alone(shape, height, width)
            size = 0
        else:
            group.append(shape)
    yield from _drawn_together(group, height, width)


def _drawn_together(shapes: Sequence[Shape], height: int, width: int) -> Iterator[Array]:
    polygons = [polygon for shape in shapes for polygon in shape.polygons]
    found = _encoded(polygons, height, width)
    drawn = iter(pixels_of_each(decode(found)) if found else ())
    stored = iter(pixels_of_all([runs for shape in shapes for runs in shape.runs]))
    for shape in shapes:
        parts = [next(drawn) for _ in shape.polygons] + [next(stored) for _ in shape.runs]
        if len(parts) == 1:
            yield parts[0]
        else:
            yield np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def _encoded(polygons: Sequence[Any], height: int, width: int) -> list[bytes]:
    """Return the string form of the RLE that pycocotools draws for each polygon."""
    if not polygons:
        return []
    return [rle["counts"] for rle in coco_mask.frPyObjects(polygons, height, width)]


def _drawn_alone(shape: Shape, height: int, width: int) -> Array:
    covered = np.zeros(height * width, bool)
    for polygon in shape.polygons:
        if len(polygon) > SMALL or steps(polygon).sum() > SMALL:
            covered |= _drawn_in_pieces(polygon, height, width)
        else:
            (text,) = _encoded([polygon], height, width)
            _fill(covered, decode_one(text))
    for runs in shape.runs:
        _fill(covered, runs)
    return np.flatnonzero(covered)


def _fill(covered: Array, runs: Array) -> None:
    ends = np.cumsum(runs)
    for start, end in zip(ends[0:-1:2].tolist(), ends[1::2].tolist(), strict=True):
        covered[start:end] = True


def _drawn_in_pieces(polygon: list[float], height: int, width: int) -> Array:
    """Draw a polygon with a long outline by calls of pycocotools of limited size.

    pycocotools changes between outside and inside wherever an edge crosses the centre line of a
    column, and draws an edge in both directions alike. So the pixels of a polygon are those that an
    odd number of its pieces covers, if the edges between the pieces belong to two of them.
    """
    changes = np.zeros(height * width + 1, bool)
    for piece in _pieces(polygon):
        (text,) = _encoded([piece], height, width)
        changes[np.cumsum(decode_one(text))[:-1]] ^= True
    return np.asarray(np.logical_xor.accumulate(changes[:-1]))


def _pieces(polygon: list[float]) -> Iterator[Array]:
    """Yield polygons, flat, that run along a part of an outline and back over its first corner."""
    corners = np.array(polygon, float).reshape(-1, 2)
    walked = np.cumsum(steps(polygon))
    cuts = np.searchsorted(walked, np.arange(SMALL, int(walked[-1]), SMALL))
    bounds = np.unique([0, *cuts, len(corners)])
    closed = np.concatenate([corners, corners[:1]])
    for start, end in pairwise(bounds.tolist()):
        yield np.concatenate([closed[:1], closed[start : end + 1]]).ravel()
