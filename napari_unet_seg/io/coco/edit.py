"""Edits of a mask as changes of COCO annotations; annotations without edits do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.encode import Place
from napari_unet_seg.io.coco.merge.keys import keyed
from napari_unet_seg.io.common.ids import new_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Id
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.merge.keys import Key
    from napari_unet_seg.io.coco.raster import Drawn
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, CocoImage

    Draw = Callable[[], Iterator[Drawn]]


class EditedImage(NamedTuple):
    """An image with an edited mask, its annotations, and the owner of each pixel.

    All arrays except `labels` hold the pixels of the image in column-major order.
    """

    image: CocoImage
    draw: Draw
    labels: Array
    """The label value of each annotation."""
    owner: Array
    """Index of the topmost annotation; -1 without an annotation and at edited pixels."""
    values: Array
    """The new label of edited pixels, else 0."""
    new: Array
    """The label of each pixel in the edited mask."""
    changed: Array
    """Whether a pixel was edited."""


class Gains(NamedTuple):
    """The new owners of edited pixels."""

    pixels: list[list[Array]]
    """For each annotation the pixels that it gained."""
    fresh: list[tuple[Id, Array]]
    """Category id and pixels of each new annotation."""


class Edit(NamedTuple):
    """Changes of the annotations of an image."""

    replaced: dict[int, Annotation | None]
    """New annotation by `id()` of the annotation that was read; None for a removed annotation."""
    added: list[Annotation]
    """New annotations, still without an id."""


def find_edit(
    image: CocoImage, draw: Draw, labels: Array, reviewed: Array | bool = True
) -> EditedImage | None:
    """Find the edited pixels of an image; None if there are none.

    Parameters
    ----------
    image : CocoImage
        The image.
    draw : callable
        Yields the annotations of the image, with their label values in the mask. They are drawn
        again when they are needed, since all their pixels can be far more than the image has.
    labels : array of shape (Y, X)
        The edited mask.
    reviewed : array of shape (Y, X)
        False for pixels whose edits do not count.
    """
    owner = np.full(labels.size, -1, np.int32)
    values = []
    for index, item in enumerate(draw()):
        owner[item.pixels] = index
        values.append(item.label)
    new = labels.T.ravel()
    changed = new != np.array([*values, 0], np.uint32)[owner]
    changed &= np.broadcast_to(reviewed, labels.shape).T.ravel()
    if not changed.any():
        return None
    owner[changed] = -1
    own = np.array(values, np.int64)
    result = EditedImage(image, draw, own, owner, np.where(changed, new, 0), new, changed)
    _restore_hidden(result)
    return result


def _restore_hidden(edit: EditedImage) -> None:
    """Undo the edit of pixels that were drawn with the value of an annotation below others."""
    for index, item in enumerate(edit.draw()):
        again = item.pixels[edit.values[item.pixels] == item.label]
        edit.values[again] = 0
        edit.owner[again] = index


def encode_edit(edit: EditedImage, gains: Gains, encoder: Encoder) -> Edit:
    """Encode the annotations that lost or gained pixels, and the new annotations.

    An edited pixel is removed from all annotations of other labels that cover it: an annotation
    below would otherwise become visible.
    """
    replaced: dict[int, Annotation | None] = {}
    for item, extra in zip(edit.draw(), gains.pixels, strict=True):
        pixels = item.pixels
        rest = pixels[~edit.changed[pixels] | (edit.new[pixels] == item.label)]
        if extra or len(rest) < len(pixels):
            again = _encode_again(item, np.concatenate([rest, *extra]), edit.image, encoder)
            replaced[id(item.annotation)] = again
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
    ids = (a.get("id") for a in old if isinstance(a, dict))
    for identity, annotation in zip(new_ids(ids), added, strict=False):
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


def _encode_again(
    item: Drawn, pixels: Array, image: CocoImage, encoder: Encoder
) -> Annotation | None:
    if not len(pixels):
        return None
    crowd = bool(item.annotation.get("iscrowd"))
    return {**item.annotation, **_geometry(pixels, image, encoder, crowd=crowd)}


def _new(pixels: Array, image: CocoImage, category: Id, encoder: Encoder) -> Annotation:
    shape = _geometry(pixels, image, encoder)
    return {"image_id": image.id, "category_id": category, **shape, "iscrowd": 0}


def _geometry(
    pixels: Array, image: CocoImage, encoder: Encoder, *, crowd: bool = False
) -> dict[str, Any]:
    columns, rows = np.divmod(pixels, image.height)
    top, left = int(rows.min()), int(columns.min())
    mask = np.zeros((int(rows.max()) + 1 - top, int(columns.max()) + 1 - left), bool)
    mask[rows - top, columns - left] = True
    place = Place((top, left), (image.height, image.width))
    return encoder.geometry(mask, place, crowd=crowd)
