"""Label arrays as COCO, and COCO as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.files import atomic
from napari_unet_seg.io.json_style import JsonStyle
from napari_unet_seg.io.polygons import encode, measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco_read import Annotation

Array = np.ndarray[Any, np.dtype[Any]]

NEIGHBOURS = np.ones((3, 3), bool)
"""Pixels that touch at a corner belong together."""


def ignored(values: Array, categories: int) -> Array:
    """Tell which pixels nobody has reviewed; with 255 categories the value is one of them."""
    result: Array = (values == IGNORE_INDEX) & (categories < IGNORE_INDEX)
    return result


def check_values(labels: Array, what: str, categories: int) -> None:
    """Raise DataError if an array holds values that are neither 0, a category nor unreviewed."""
    if labels.dtype.kind not in "biu":
        raise DataError(f"{what} holds {labels.dtype} numbers; give whole label values.")
    if not labels.size or (labels.min() >= 0 and labels.max() <= categories):
        return
    wrong = labels[((labels < 0) | (labels > categories)) & ~ignored(labels, categories)]
    if len(wrong):
        raise DataError(
            f"{what} holds the label {wrong[0]}, but there are only {categories} categories; "
            "add the category or correct the mask."
        )


def components(
    labels: Array, structure: Array = NEIGHBOURS
) -> Iterator[tuple[int, Array, tuple[slice, slice]]]:
    """Yield label value, mask and place of every connected area of a label array."""
    for value in np.unique(labels[labels != 0]).tolist():
        areas, _ = ndimage.label(labels == value, structure)
        for index, (rows, columns) in enumerate(ndimage.find_objects(areas), 1):
            yield value, areas[rows, columns] == index, (rows, columns)


def geometry(mask: Array, *, crowd: bool = False) -> dict[str, Any]:
    """Return segmentation, area and box of a mask; those of crowds are RLE by the standard."""
    segmentation = encode(mask, as_rle=crowd)
    bbox, area = measure(segmentation, *mask.shape)
    return {"segmentation": segmentation, "area": area, "bbox": bbox}


def labels_to_coco(
    masks: Iterable[tuple[str, Array]], categories: Sequence[Category], *, corners: bool = True
) -> dict[str, Any]:
    """Make a COCO document of label arrays; every connected area becomes an annotation.

    Parameters
    ----------
    masks : iterable of (str, array of shape (Y, X))
        File names of the images and their labels; value i is the i-th category, from 1. Pixels of
        `IGNORE_INDEX` are left out.
    categories : sequence of Category
        In the order of the label values.
    corners : bool
        Whether pixels that touch at a corner alone belong to one area.

    Raises
    ------
    DataError
        If a mask is not two-dimensional or holds a value that is no category.
    """
    structure = NEIGHBOURS if corners else ndimage.generate_binary_structure(2, 1)
    images: list[dict[str, Any]] = []
    annotations: list[Annotation] = []
    for image_id, (file_name, given) in enumerate(masks, 1):
        labels = _checked(np.asarray(given), file_name, len(categories))
        height, width = labels.shape
        images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        for value, area, where in components(labels, structure):
            mask = np.zeros(labels.shape, bool)
            mask[where] = area
            head = {"id": len(annotations) + 1, "image_id": image_id}
            category = {"category_id": categories[value - 1].id}
            annotations.append({**head, **category, **geometry(mask), "iscrowd": 0})
    return {
        "info": {"description": "Masks written by napari-unet-seg"},
        "licenses": [],
        "categories": [category.model_dump() for category in categories],
        "images": images,
        "annotations": annotations,
    }


def _checked(labels: Array, file_name: str, categories: int) -> Array:
    if labels.ndim != 2:
        raise DataError(
            f"The mask for {file_name} has the shape {labels.shape}; give one slice of shape "
            "(Y, X) per image."
        )
    check_values(labels, f"The mask for {file_name}", categories)
    return np.where(ignored(labels, categories), 0, labels)


def save_coco(
    document: Mapping[str, Any],
    path: Path | str,
    *,
    keep: bool = True,
    style: JsonStyle = JsonStyle(),  # noqa: B008 (it is frozen)
) -> None:
    """Write a COCO document whole or not at all.

    Parameters
    ----------
    document : mapping
        From `write_back` or `labels_to_coco`.
    path : Path
        The JSON; its folder must exist.
    keep : bool
        Keep the file that stood there as `name.bak.json`.
    style : JsonStyle
        Layout of the text; `CocoDataset.style` is that of the file that was read.
    """
    text = style.dumps(document, _plain)
    with atomic(path, keep=keep) as temporary:
        temporary.write_bytes(text.encode())


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        # pycocotools hands out the counts of an RLE so.
        return value.decode("ascii")
    raise TypeError(f"{type(value).__name__} has no place in JSON")
