"""Write-back of edited masks, of categories or of instances, to their COCO file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_unet_seg.io.coco.edit import (
    Edit,
    EditedImage,
    Gains,
    check_shape,
    encode_edit,
    find_edit,
)
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.raster import draw, from_columns, image_of
from napari_unet_seg.io.masks.areas import NEIGHBOURS, Area, by_value, components
from napari_unet_seg.io.masks.labels import check_instances, check_values, ignored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.read import CocoDataset, CocoImage


def find_edits(
    dataset: CocoDataset,
    edited: Mapping[Id, Array],
    *,
    categories: Sequence[Category] | None = None,
    boxes: bool = False,
    encoder: Encoder | None = None,
) -> dict[Id, Edit]:
    """Find the edits of masks of categories of the COCO file that they were read from.

    Only pixels that differ from the mask of `rasterise` are edited:

    - a pixel with another value is removed from every annotation of another category that covers
      the pixel, also from annotations below others;
    - an area with a new category joins the annotation of this category with which it shares the
      longest border (corners count), or becomes a new annotation if it touches none;
    - an annotation that neither lost nor gained a pixel keeps its JSON. Other annotations keep
      their position, id and unknown keys, and get a new segmentation, `bbox` and `area`;
      annotations without any pixel are removed.

    Therefore `rasterise` of the result gives the edited mask, neighbouring instances stay separate,
    and instances below others are kept. Pixels of `IGNORE_INDEX` count as not edited.

    Parameters
    ----------
    dataset : CocoDataset
        From `read_coco`; it is not changed.
    edited : mapping of id to array of shape (Y, X)
        Label values by image id, taken one after another; other images do not change.
    categories, boxes
        The arguments that `rasterise` was called with.
    encoder : Encoder, optional
        Encoder with options other than the defaults.

    Returns
    -------
    dict of int to Edit
        The changes by image id, an empty edit for images without any.

    Raises
    ------
    DataError
        If an array has another shape than its image, or a value that is not a category.
    """
    chosen = dataset.categories if categories is None else categories
    encoder = encoder or Encoder()
    edits = {}
    for image_id, given in edited.items():
        image, labels = image_of(dataset, image_id), np.asarray(given)
        check_values(labels, check_shape(dataset, image, labels), len(chosen))
        redraw = partial(draw, dataset, image, chosen, boxes=boxes)
        reviewed = ~ignored(labels, len(chosen))
        edit = find_edit(image, redraw, labels, reviewed)
        gains = _to_neighbours(edit, chosen, encoder) if edit else None
        edits[image_id] = encode_edit(edit, gains, encoder) if edit and gains else Edit({}, [])
    return edits


def find_instance_edits(
    instances: Instances,
    edited: Mapping[Id, Array],
    *,
    kinds: Mapping[int, Category] | None = None,
    encoder: Encoder | None = None,
) -> dict[Id, Edit]:
    """Find the edits of masks of instances of the COCO file that they were read from.

    Only pixels that differ from the mask of `draw_instances` are edited:

    - a pixel with another value is removed from every other annotation that covers the pixel, also
      from annotations below others;
    - pixels with the value of an annotation join the annotation, connected or not; pixels of a new
      value, or of a value of another image, become a new annotation;
    - an annotation whose value has another category in `kinds` gets this category, and keeps the
      rest of its JSON;
    - other annotations do not change, as in `find_edits`.

    Parameters
    ----------
    instances : Instances
        From `draw_instances`.
    edited : mapping of id to array of shape (Y, X)
        Label values by image id, taken one after another; other images do not change.
    kinds : mapping of int to Category
        Categories of new label values, and new categories of label values in the file.
    encoder : Encoder, optional
        Encoder with options other than the defaults.

    Raises
    ------
    DataError
        If an array has another shape than its image, or a value without a category.
    """
    dataset = instances.dataset
    encoder = encoder or Encoder()
    categories_by_value = {
        value: row.category for value, row in enumerate(instances.rows, 1)
    } | dict(kinds or {})
    edits = {}
    for image_id, given in edited.items():
        image, labels = image_of(dataset, image_id), np.asarray(given)
        check_instances(labels, check_shape(dataset, image, labels), categories_by_value)
        edit = find_edit(image, partial(instances.drawn, image), labels)
        gains = _to_values(edit, categories_by_value) if edit else None
        edits[image_id] = encode_edit(edit, gains, encoder) if edit and gains else Edit({}, [])
    _change_categories(edits, instances, categories_by_value)
    return edits


def _change_categories(
    edits: dict[Id, Edit], instances: Instances, categories_by_value: Mapping[int, Category]
) -> None:
    """Change the category of annotations whose category differs from the file."""
    for value, row in enumerate(instances.rows, 1):
        if categories_by_value[value].id != row.category.id:
            replaced = edits.setdefault(row.image.id, Edit({}, [])).replaced
            now = replaced.get(id(row.annotation), row.annotation)
            renamed = None if now is None else {**now, "category_id": categories_by_value[value].id}
            replaced[id(row.annotation)] = renamed


def _to_values(edit: EditedImage, categories_by_value: Mapping[int, Category]) -> Gains:
    """Assign edited pixels to the annotations of their value."""
    indices = {value: index for index, value in enumerate(edit.labels.tolist())}
    gains = Gains([[] for _ in indices], [])
    places = np.flatnonzero(edit.values)
    for group in by_value(edit.values[places]):
        pixels = places[group]
        value = int(edit.values[pixels[0]])
        if value in indices:
            gains.pixels[indices[value]].append(pixels)
        else:
            gains.fresh.append((categories_by_value[value].id, pixels))
    return gains


def _to_neighbours(edit: EditedImage, categories: Sequence[Category], encoder: Encoder) -> Gains:
    """Assign edited areas to the annotation of their category with the longest common border."""
    gains = Gains([[] for _ in edit.labels], [])
    labels = np.append(edit.labels, 0)
    owners = from_columns(edit.owner, edit.image)
    values = from_columns(edit.values, edit.image)
    for area in components(values, encoder.options.neighbours):
        near = owners[_around(area, owners.shape)]
        near = near[labels[near] == area.value]
        pixels = _indices(area, edit.image)
        if len(near):
            owner, borders = np.unique(near, return_counts=True)
            gains.pixels[int(owner[borders.argmax()])].append(pixels)
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
