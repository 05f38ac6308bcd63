"""Conversion of label arrays to COCO documents, and writing of COCO files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.document.style import JsonStyle
from napari_unet_seg.io.coco.encode import Encoder, Place
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.io.disk.temporary import remove_litter
from napari_unet_seg.io.masks.areas import components, objects
from napari_unet_seg.io.masks.labels import check_instances, check_values, ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, CocoOptions
    from napari_unet_seg.io.coco.read import Annotation
    from napari_unet_seg.io.masks.areas import Area

DESCRIPTION = "Masks written by napari-unet-seg"
"""By which a file is known that holds masks of this program alone."""


def labels_to_coco(
    masks: Iterable[tuple[str, Array]],
    categories: Sequence[Category],
    *,
    instances: Mapping[int, Category] | None = None,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Convert label arrays to a COCO document.

    Parameters
    ----------
    masks : iterable of (str, array of shape (Y, X))
        File names of the images and their labels. Every connected component of a label value
        becomes an annotation; pixels of `IGNORE_INDEX` are skipped.
    categories : sequence of Category
        Categories of the label values from 1, in order.
    instances : mapping of int to Category, optional
        Categories by label value, for masks of instances: all pixels of a label value in an image
        become one annotation.
    encoder : Encoder, optional
        Encoder with options other than the defaults.

    Raises
    ------
    DataError
        If a mask is not two-dimensional or holds a value that is not a category.
    """
    encoder = encoder or Encoder()
    images: list[dict[str, Any]] = []
    annotations: list[Annotation] = []
    for image_id, (file_name, given) in enumerate(masks, 1):
        labels = _plane(np.asarray(given), file_name)
        height, width = labels.shape
        images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        for category, area in _annotated_areas(
            labels, file_name, categories, instances, encoder.options
        ):
            head = {"id": len(annotations) + 1, "image_id": image_id, "category_id": category.id}
            place = Place((area.where[0].start, area.where[1].start), (height, width))
            annotations.append({**head, **encoder.geometry(area.mask, place), "iscrowd": 0})
    return {
        "info": {"description": DESCRIPTION},
        "licenses": [],
        "categories": [category.model_dump() for category in categories],
        "images": images,
        "annotations": annotations,
    }


def _plane(labels: Array, file_name: str) -> Array:
    if labels.ndim != 2:
        raise DataError(
            f"The mask for {file_name} has the shape {labels.shape}; give one slice of shape "
            "(Y, X) per image."
        )
    return labels


def _annotated_areas(
    labels: Array,
    file_name: str,
    categories: Sequence[Category],
    instances: Mapping[int, Category] | None,
    options: CocoOptions,
) -> Iterator[tuple[Category, Area]]:
    what = f"The mask for {file_name}"
    if instances is None:
        check_values(labels, what, len(categories))
        reviewed = np.where(ignored(labels, len(categories)), 0, labels)
        areas = components(reviewed, options.neighbours)
        by_value: Mapping[int, Category] = dict(enumerate(categories, 1))
    else:
        check_instances(labels, what, instances)
        areas, by_value = objects(labels), instances
    for area in areas:
        yield by_value[area.value], area


def save_coco(
    document: Mapping[str, Any],
    path: Path | str,
    *,
    keep: bool = True,
    style: JsonStyle = JsonStyle(),  # noqa: B008 (it is frozen)
) -> None:
    """Write a COCO document to a file, atomically.

    Parameters
    ----------
    document : mapping
        From `apply_edits` or `labels_to_coco`.
    path : Path
        The file; its folder must exist.
    keep : bool
        Whether to keep the previous file as `name.bak.json`.
    style : JsonStyle
        Layout of the text; `CocoDataset.style` is the layout of the file that was read.
    """
    remove_litter(Path(path).parent, of=Path(path).name)  # of a process that was killed
    with (
        atomic(path, keep=keep) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.writelines(style.pieces(document, _plain))


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        # pycocotools returns the counts of an RLE as bytes.
        return value.decode("ascii")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
