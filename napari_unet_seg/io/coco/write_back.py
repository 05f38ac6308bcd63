"""Masks of categories, or of single objects, back into the COCO file they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_unet_seg.io.coco.edit import (
    Edit,
    Gains,
    Painted,
    check_shape,
    encoded,
    painted,
    with_edits,
)
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.raster import draw, from_columns, image_of
from napari_unet_seg.io.common.areas import NEIGHBOURS, Area, by_value, components
from napari_unet_seg.io.common.labels import check_instances, check_values, ignored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage

Array = np.ndarray[Any, np.dtype[Any]]


def write_back(
    dataset: CocoDataset,
    edited: Mapping[int, Array],
    *,
    categories: Sequence[Category] | None = None,
    boxes: bool = False,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Put edited masks of categories back into the COCO file they came from.

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
    encoder : Encoder, optional
        With options other than the defaults.

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
    encoder = encoder or Encoder()

    def edits() -> Iterator[Edit]:
        for image_id, given in edited.items():
            image, labels = image_of(dataset, image_id), np.asarray(given)
            check_values(labels, check_shape(dataset, image, labels), len(chosen))
            drawn = tuple(draw(dataset, image, chosen, boxes=boxes))
            reviewed = ~ignored(labels, len(chosen))
            if edit := painted(image, drawn, labels, reviewed):
                yield encoded(edit, _to_neighbours(edit, chosen, encoder), encoder)

    return with_edits(dataset, edits())


def write_back_instances(
    instances: Instances,
    edited: Mapping[int, Array],
    *,
    kinds: Mapping[int, Category] | None = None,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Put edited masks of single objects back into the COCO file they came from.

    Only pixels that differ from what `draw_instances` drew count as edited:

    - a pixel that was given another value is taken from every other annotation that covers it,
      below others too;
    - pixels that were given the value of an annotation join it, connected or not; those of a new
      value, or of one from another image, become a new annotation of its category;
    - an annotation whose value was given another category gets that one, and keeps the rest;
    - for the rest `write_back` tells what stays.

    Parameters
    ----------
    instances : Instances
        What `draw_instances` returned.
    edited : mapping of int to array of shape (Y, X)
        Label values by image id; images that are not in it stay as they are.
    kinds : mapping of int to Category
        Categories of values that the file has no annotation for, or another category for.
    encoder : Encoder, optional
        With options other than the defaults.

    Raises
    ------
    DataError
        If an array has another shape than its image or a value that has no category.
    """
    dataset = instances.dataset
    encoder = encoder or Encoder()
    known = {value: row.category for value, row in enumerate(instances.rows, 1)} | dict(kinds or {})

    def edits() -> Iterator[Edit]:
        for image_id, given in edited.items():
            image, labels = image_of(dataset, image_id), np.asarray(given)
            check_instances(labels, check_shape(dataset, image, labels), known)
            if edit := painted(image, instances.drawn(image), labels):
                yield encoded(edit, _to_values(edit, known), encoder)

    return with_edits(dataset, _renamed(list(edits()), instances, known))


def _renamed(edits: list[Edit], instances: Instances, known: Mapping[int, Category]) -> list[Edit]:
    """Add the annotations whose category is no longer that of the file."""
    replaced: dict[int, Annotation | None] = {}
    for edit in edits:
        replaced |= edit.replaced
    changed: dict[int, Annotation | None] = {}
    for value, row in enumerate(instances.rows, 1):
        if known[value] != row.category:
            now = replaced.get(id(row.annotation), row.annotation)
            renamed = None if now is None else {**now, "category_id": known[value].id}
            changed[id(row.annotation)] = renamed
    return [*edits, Edit(changed, [])]


def _to_values(edit: Painted, known: Mapping[int, Category]) -> Gains:
    """Give edited pixels to the annotations of their value."""
    indices = {item.label: index for index, item in enumerate(edit.drawn)}
    gains = Gains([[] for _ in edit.drawn], [])
    places = np.flatnonzero(edit.values)
    for group in by_value(edit.values[places]):
        pixels = places[group]
        value = int(edit.values[pixels[0]])
        if value in indices:
            gains.pixels[indices[value]].append(pixels)
        else:
            gains.fresh.append((known[value].id, pixels))
    return gains


def _to_neighbours(edit: Painted, categories: Sequence[Category], encoder: Encoder) -> Gains:
    """Give edited areas to the annotation of their category that they touch most."""
    gains = Gains([[] for _ in edit.drawn], [])
    labels = np.array([item.label for item in edit.drawn] + [0])
    owners = from_columns(edit.owner, edit.image)
    values = from_columns(edit.values, edit.image)
    for area in components(values, encoder.options.neighbours):
        near = owners[_around(area, owners.shape)]
        near = near[labels[near] == area.value]
        pixels = _indices(area, edit.image)
        if len(near):
            gains.pixels[int(np.bincount(near).argmax())].append(pixels)
        else:
            gains.fresh.append((categories[area.value - 1].id, pixels))
    return gains


def _around(area: Area, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the rows and columns of the pixels that touch an area."""
    padded = np.pad(area.mask, 1)
    rows, columns = np.nonzero(ndimage.binary_dilation(padded, NEIGHBOURS) & ~padded)
    rows, columns = rows + area.where[0].start - 1, columns + area.where[1].start - 1
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]


def _indices(area: Area, image: CocoImage) -> Array:
    rows, columns = np.nonzero(area.mask)
    return np.asarray((columns + area.where[1].start) * image.height + rows + area.where[0].start)
