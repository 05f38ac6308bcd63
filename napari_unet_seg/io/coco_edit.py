"""Putting edited masks back into the COCO file they came from; the rest stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco_raster import Drawn, draw, from_columns, image_of, rasterise
from napari_unet_seg.io.coco_read import Annotation, whole
from napari_unet_seg.io.coco_write import NEIGHBOURS, check_values, components, geometry, ignored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco_read import CocoDataset, CocoImage

Array = np.ndarray[Any, np.dtype[Any]]


class _Edit(NamedTuple):
    replaced: dict[int, Annotation | None]
    """By `id()` of the annotation as it was read; None where nothing is left of it."""
    added: list[Annotation]
    """Without an id."""


def write_back(
    dataset: CocoDataset,
    edited: Mapping[int, Array],
    *,
    categories: Sequence[Category] | None = None,
    boxes: bool = False,
) -> dict[str, Any]:
    """Put edited label arrays back into the COCO file they came from.

    Only pixels that differ from what `rasterise` drew count as edited:

    - a pixel that was given another value is taken from every annotation of another category
      that covers it, below others too;
    - an area that was given a category joins the annotation of this category that it shares the
      longest border with (corners count), and becomes a new annotation where it touches none;
    - an annotation that neither lost nor gained a pixel keeps its JSON as it was. The others keep
      their place, id and unknown keys, and get a new segmentation, `bbox` and `area`; those
      without a pixel left are removed.

    So `rasterise` of the result gives the edited array, neighbouring instances stay apart, and
    instances below others live on. Pixels of `IGNORE_INDEX` count as not edited.

    Parameters
    ----------
    dataset : CocoDataset
        What `read_coco` returned; it is not changed.
    edited : mapping of int to array of shape (Y, X)
        Label values by image id; images that are not in it stay as they are.
    categories, boxes
        As they were given to `rasterise`.

    Returns
    -------
    dict
        The document to save.

    Raises
    ------
    DataError
        If an array has another shape than its image or a value that is no category.
    """
    chosen = dataset.categories if categories is None else categories
    replaced: dict[int, Annotation | None] = {}
    added: list[Annotation] = []
    for image_id, labels in edited.items():
        edit = _edit(dataset, image_of(dataset, image_id), np.asarray(labels), chosen, boxes)
        replaced |= edit.replaced
        added += edit.added
    old = dataset.document["annotations"]
    kept = [replaced.get(id(annotation), annotation) for annotation in old]
    annotations = [annotation for annotation in kept if annotation is not None]
    for identity, annotation in enumerate(added, _highest_id(old) + 1):
        annotations.append({"id": identity, **annotation})
    return {**dataset.document, "annotations": annotations}


def _highest_id(annotations: list[Any]) -> int:
    ids = (whole(a.get("id")) if isinstance(a, dict) else None for a in annotations)
    return max((i for i in ids if i is not None), default=0)


def _edit(
    dataset: CocoDataset,
    image: CocoImage,
    labels: Array,
    categories: Sequence[Category],
    boxes: bool,
) -> _Edit:
    _check(dataset, image, labels, len(categories))
    if np.array_equal(labels, rasterise(dataset, image.id, categories=categories, boxes=boxes)):
        # Most images of a large set are not edited, and to see that takes a tenth of the rest.
        return _Edit({}, [])
    drawn = tuple(draw(dataset, image, categories, boxes=boxes))
    # The highest index of the annotations that cover a pixel, which is the visible one.
    owner = np.full(labels.size, -1, np.int32)
    for index, item in enumerate(drawn):
        owner[item.pixels] = index
    values = np.array([item.label for item in drawn] + [0])
    new = labels.T.ravel().astype(np.int64)
    changed = (new != values[owner]) & ~ignored(new, len(categories))
    if not changed.any():
        return _Edit({}, [])
    kept = [item.pixels[~changed[item.pixels] | (new[item.pixels] == item.label)] for item in drawn]
    owner[changed] = -1
    gained, fresh = _assign(drawn, kept, owner, np.where(changed, new, 0), image)
    replaced = {
        id(item.annotation): _encoded_again(item, np.concatenate([rest, *extra]), image)
        for item, rest, extra in zip(drawn, kept, gained, strict=True)
        if extra or len(rest) < len(item.pixels)
    }
    return _Edit(replaced, [_new(area, image, categories[value - 1].id) for value, area in fresh])


def _check(dataset: CocoDataset, image: CocoImage, labels: Array, categories: int) -> None:
    if labels.shape != (image.height, image.width):
        raise DataError(
            f"The mask for {image.file_name} has the shape {labels.shape} and the image "
            f"{(image.height, image.width)} in {dataset.path}; give the mask of this image."
        )
    check_values(labels, f"The mask for {image.file_name} in {dataset.path}", categories)


def _assign(
    drawn: tuple[Drawn, ...], kept: list[Array], owner: Array, painted: Array, image: CocoImage
) -> tuple[list[list[Array]], list[tuple[int, Array]]]:
    """Give painted areas to annotations; return what each gained, and the areas of none."""
    gained: list[list[Array]] = [[] for _ in drawn]
    fresh: list[tuple[int, Array]] = []
    for index, (item, rest) in enumerate(zip(drawn, kept, strict=True)):
        # Painted with the category of an annotation that lies below: that one is seen again.
        seen_again = rest[painted[rest] == item.label]
        painted[seen_again] = 0
        owner[seen_again] = index
    values = np.array([item.label for item in drawn] + [0])
    owners = from_columns(owner, image)
    for value, area, where in components(from_columns(painted, image)):
        near = owners[_around(area, where, owners.shape)]
        near = near[values[near] == value]
        pixels = _indices(area, where, image)
        if len(near):
            gained[int(np.bincount(near).argmax())].append(pixels)
        else:
            fresh.append((value, pixels))
    return gained, fresh


def _around(area: Array, where: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the rows and columns of the pixels that touch an area."""
    padded = np.pad(area, 1)
    rows, columns = np.nonzero(ndimage.binary_dilation(padded, NEIGHBOURS) & ~padded)
    rows, columns = rows + where[0].start - 1, columns + where[1].start - 1
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]


def _indices(area: Array, where: tuple[slice, slice], image: CocoImage) -> Array:
    rows, columns = np.nonzero(area)
    return np.asarray((columns + where[1].start) * image.height + rows + where[0].start)


def _mask(pixels: Array, image: CocoImage) -> Array:
    flat = np.zeros(image.height * image.width, bool)
    flat[pixels] = True
    return from_columns(flat, image)


def _encoded_again(item: Drawn, pixels: Array, image: CocoImage) -> Annotation | None:
    if not len(pixels):
        return None
    crowd = bool(item.annotation.get("iscrowd"))
    return {**item.annotation, **geometry(_mask(pixels, image), crowd=crowd)}


def _new(pixels: Array, image: CocoImage, category: int) -> Annotation:
    shape = geometry(_mask(pixels, image))
    return {"image_id": image.id, "category_id": category, **shape, "iscrowd": 0}
