"""Edits of a mask as changes of COCO annotations; annotations without edits do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.merge import keyed
from napari_unet_seg.io.coco.raster import from_columns
from napari_unet_seg.io.coco.read import Annotation, whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.merge import Key
    from napari_unet_seg.io.coco.raster import Drawn
    from napari_unet_seg.io.coco.read import CocoDataset, CocoImage


class EditedImage(NamedTuple):
    """An image with an edited mask, its annotations, and the owner of each pixel.

    All arrays except `kept` hold the pixels of the image in column-major order.
    """

    image: CocoImage
    drawn: tuple[Drawn, ...]
    kept: list[Array]
    """For each annotation the indices of the pixels that it keeps."""
    owner: Array
    """Index of the topmost annotation; -1 without an annotation and at edited pixels."""
    values: Array
    """The new label of edited pixels, else 0."""


class Gains(NamedTuple):
    """The new owners of edited pixels."""

    pixels: list[list[Array]]
    """For each annotation the pixels that it gained."""
    fresh: list[tuple[int, Array]]
    """Category id and pixels of each new annotation."""


class Edit(NamedTuple):
    """Changes of the annotations of an image."""

    replaced: dict[int, Annotation | None]
    """New annotation by `id()` of the annotation that was read; None for a removed annotation."""
    added: list[Annotation]
    """New annotations, still without an id."""


def find_edit(
    image: CocoImage, drawn: tuple[Drawn, ...], labels: Array, reviewed: Array | bool = True
) -> EditedImage | None:
    """Find the edited pixels of an image; None if there are none.

    Parameters
    ----------
    image : CocoImage
        The image.
    drawn : tuple of Drawn
        Annotations of the image, with their label values in the mask.
    labels : array of shape (Y, X)
        The edited mask.
    reviewed : array of shape (Y, X)
        False for pixels whose edits do not count.
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
    # The pixel is removed from all other annotations that cover it: an annotation below would
    # otherwise become visible.
    kept = [item.pixels[~changed[item.pixels] | (new[item.pixels] == item.label)] for item in drawn]
    owner[changed] = -1
    result = EditedImage(image, drawn, kept, owner, np.where(changed, new, 0))
    _restore_hidden(result)
    return result


def _is_untouched(drawn: tuple[Drawn, ...], labels: Array) -> bool:
    """Whether the mask is the drawn one; a fast check, since most images are not edited."""
    before = np.zeros(labels.size, np.promote_types(labels.dtype, np.uint32))
    for item in drawn:
        before[item.pixels] = item.label
    return np.array_equal(before, labels.T.ravel())


def _restore_hidden(edit: EditedImage) -> None:
    """Undo the edit of pixels that were drawn with the value of an annotation below others."""
    for index, (item, rest) in enumerate(zip(edit.drawn, edit.kept, strict=True)):
        again = rest[edit.values[rest] == item.label]
        edit.values[again] = 0
        edit.owner[again] = index


def encode_edit(edit: EditedImage, gains: Gains, encoder: Encoder) -> Edit:
    """Encode the annotations that lost or gained pixels, and the new annotations."""
    replaced = {
        id(item.annotation): _encode_again(
            item, np.concatenate([rest, *extra]), edit.image, encoder
        )
        for item, rest, extra in zip(edit.drawn, edit.kept, gains.pixels, strict=True)
        if extra or len(rest) < len(item.pixels)
    }
    added = [_new(pixels, edit.image, category, encoder) for category, pixels in gains.fresh]
    return Edit(replaced, added)


def apply_edits(dataset: CocoDataset, edits: Iterable[Edit]) -> dict[str, Any]:
    """Return the document of a data set with the edits; new ids follow the highest id."""
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


def changes_of(
    dataset: CocoDataset, edits: Collection[Edit]
) -> tuple[dict[Key, Annotation | None], list[Annotation]]:
    """Return the changed annotations of a data set by key, and the new ones, still without an id.

    An annotation that was removed is None.
    """
    replaced: dict[int, Annotation | None] = {}
    for edit in edits:
        replaced |= edit.replaced
    keys = keyed(dataset.document["annotations"]) if replaced else {}
    changes = {k: replaced[id(item)] for k, item in keys.items() if id(item) in replaced}
    return changes, [item for edit in edits for item in edit.added]


def check_shape(dataset: CocoDataset, image: CocoImage, labels: Array) -> str:
    """Check the shape of a mask; return the name of the mask for messages.

    Raises
    ------
    DataError
        If the shape differs from the image's.
    """
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


def _encode_again(
    item: Drawn, pixels: Array, image: CocoImage, encoder: Encoder
) -> Annotation | None:
    if not len(pixels):
        return None
    crowd = bool(item.annotation.get("iscrowd"))
    return {**item.annotation, **encoder.geometry(_mask(pixels, image), crowd=crowd)}


def _new(pixels: Array, image: CocoImage, category: int, encoder: Encoder) -> Annotation:
    shape = encoder.geometry(_mask(pixels, image))
    return {"image_id": image.id, "category_id": category, **shape, "iscrowd": 0}
