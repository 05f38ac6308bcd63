"""Putting edited masks back into the COCO file they came from; the rest stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.raster import from_columns
from napari_unet_seg.io.coco.read import Annotation, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.raster import Drawn
    from napari_unet_seg.io.coco.read import CocoDataset, CocoImage


class Painted(NamedTuple):
    """An image whose mask was edited, its annotations, and which pixels are whose.

    All arrays but `kept` run through the image's pixels in column-major order.
    """

    image: CocoImage
    drawn: tuple[Drawn, ...]
    kept: list[Array]
    """For each annotation the pixels that were not taken from it."""
    owner: Array
    """Index of the annotation that is seen there, -1 for none and where it was edited."""
    values: Array
    """The new label where it was edited, else 0."""


class Gains(NamedTuple):
    """Whose the edited pixels are."""

    pixels: list[list[Array]]
    """For each annotation what it gained."""
    fresh: list[tuple[int, Array]]
    """Category id and pixels of new annotations."""


class Edit(NamedTuple):
    """What becomes of the annotations of an image."""

    replaced: dict[int, Annotation | None]
    """By `id()` of the annotation as it was read; None where nothing is left of it."""
    added: list[Annotation]
    """Without an id."""


def painted(
    image: CocoImage, drawn: tuple[Drawn, ...], labels: Array, reviewed: Array | bool = True
) -> Painted | None:
    """Find what of an image was edited; None if nothing was.

    Parameters
    ----------
    image : CocoImage
        The image.
    drawn : tuple of Drawn
        Its annotations, whose labels are their values in the mask.
    labels : array of shape (Y, X)
        The mask as edited.
    reviewed : array of shape (Y, X)
        False where an edit does not count.
    """
    if _is_untouched(drawn, labels):
        return None
    owner = np.full(labels.size, -1, np.int32)
    for index, item in enumerate(drawn):
        owner[item.pixels] = index
    values = np.array([item.label for item in drawn] + [0])
    new = labels.T.ravel().astype(np.int64)
    changed = new != values[owner]
    changed &= np.broadcast_to(reviewed, labels.shape).T.ravel()
    if not changed.any():
        return None
    # Taken from all others that cover the pixel, below too, or they would come into sight.
    kept = [item.pixels[~changed[item.pixels] | (new[item.pixels] == item.label)] for item in drawn]
    owner[changed] = -1
    result = Painted(image, drawn, kept, owner, np.where(changed, new, 0))
    _see_again(result)
    return result


def _is_untouched(drawn: tuple[Drawn, ...], labels: Array) -> bool:
    """Tell it fast, since most images of a large set are not edited."""
    before = np.zeros(labels.size, np.promote_types(labels.dtype, np.uint32))
    for item in drawn:
        before[item.pixels] = item.label
    return np.array_equal(before, labels.T.ravel())


def _see_again(edit: Painted) -> None:
    """Leave out pixels painted with the value of an annotation that lay below others there."""
    for index, (item, rest) in enumerate(zip(edit.drawn, edit.kept, strict=True)):
        again = rest[edit.values[rest] == item.label]
        edit.values[again] = 0
        edit.owner[again] = index


def encoded(edit: Painted, gains: Gains, encoder: Encoder) -> Edit:
    """Encode the annotations that lost or gained pixels again, and the new ones."""
    replaced = {
        id(item.annotation): _encoded_again(
            item, np.concatenate([rest, *extra]), edit.image, encoder
        )
        for item, rest, extra in zip(edit.drawn, edit.kept, gains.pixels, strict=True)
        if extra or len(rest) < len(item.pixels)
    }
    added = [_new(pixels, edit.image, category, encoder) for category, pixels in gains.fresh]
    return Edit(replaced, added)


def with_edits(dataset: CocoDataset, edits: Iterable[Edit]) -> dict[str, Any]:
    """Return the document of a data set with edits in place; new ids follow the highest."""
    replaced: dict[int, Annotation | None] = {}
    added: list[Annotation] = []
    for edit in edits:
        replaced |= edit.replaced
        added += edit.added
    old = dataset.document["annotations"]
    kept = [replaced.get(id(annotation), annotation) for annotation in old]
    annotations = [annotation for annotation in kept if annotation is not None]
    for identity, annotation in enumerate(added, _highest_id(old) + 1):
        annotations.append({"id": identity, **annotation})
    return {**dataset.document, "annotations": annotations}


def check_shape(dataset: CocoDataset, image: CocoImage, labels: Array) -> str:
    """Return what to call a mask in messages, or raise DataError if it is not of its image."""
    if labels.shape != (image.height, image.width):
        raise DataError(
            f"The mask for {image.file_name} has the shape {labels.shape} and the image "
            f"{(image.height, image.width)} in {dataset.path}; give the mask of this image."
        )
    return f"The mask for {image.file_name} in {dataset.path}"


def _highest_id(annotations: list[Any]) -> int:
    ids = (whole(a.get("id")) if isinstance(a, dict) else None for a in annotations)
    return max((i for i in ids if i is not None), default=0)


def _mask(pixels: Array, image: CocoImage) -> Array:
    flat = np.zeros(image.height * image.width, bool)
    flat[pixels] = True
    return from_columns(flat, image)


def _encoded_again(
    item: Drawn, pixels: Array, image: CocoImage, encoder: Encoder
) -> Annotation | None:
    if not len(pixels):
        return None
    crowd = bool(item.annotation.get("iscrowd"))
    return {**item.annotation, **encoder.geometry(_mask(pixels, image), crowd=crowd)}


def _new(pixels: Array, image: CocoImage, category: int, encoder: Encoder) -> Annotation:
    shape = encoder.geometry(_mask(pixels, image))
    return {"image_id": image.id, "category_id": category, **shape, "iscrowd": 0}
