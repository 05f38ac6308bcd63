"""The image that a mask was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import file_of, record_on
from napari_unet_seg._napari.layers.layer_record import record_of, update_record
from napari_unet_seg.io.common.names import MASK_ENDS
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Labels, Layer


def image_of(mask: Layer, images: Iterable[Image]) -> Image | None:
    """Return the image among `images` that a mask was made from.

    That is the recorded one, else an image of the recorded file, else the image that the name or
    the description of the mask's file tells. A mask of which nothing is known belongs to the only
    image on its grid.

    Returns
    -------
    Image or None
        None if the image is not among `images`, or several may be meant: the user chooses then.
    """
    images, record, path = tuple(images), record_of(mask), file_of(mask)
    drawn_on = next((i for i in images if i.unique_id == record.image), None)
    if drawn_on is not None:
        return drawn_on
    if of_file := [i for i in images if path is not None and file_of(i) == path]:
        own = record.sequence, record.channel
        return next((i for i in of_file if _shown_by(i) == own), of_file[0])
    on_grid = [i for i in images if is_on_grid(mask, i)]
    found = _named(mask, on_grid) or (on_grid if record.image is None else [])
    return found[0] if len(found) == 1 else None


def is_on_grid(mask: Layer, image: Image) -> bool:
    """Whether a mask has the shape of an image's grid."""
    shape = (image.data[0] if image.multiscale else image.data).shape[: image.ndim]
    return tuple(shape) == tuple(mask.data.shape)


def record_image(mask: Labels, image: Image) -> None:
    """Record the image that a mask was made from; a mask without a grid of its own takes its grid.

    The grid is what a mask is written on, with the affine of the image's file.
    """
    own, theirs = record_of(mask), record_on(image)
    update_record(mask, image=image.unique_id, sequence=theirs.sequence, channel=theirs.channel)
    if own.scan is None and is_on_grid(mask, image) and _are_placed_alike(mask, image):
        update_record(
            mask,
            scan=theirs.scan,
            independent=theirs.independent,
            names=theirs.names,
            case=theirs.case,
            coco=theirs.coco,
        )


def are_of_one_image(one: Layer, other: Layer) -> bool:
    """Whether two masks are known to be made from one image."""
    image, path = record_of(one).image, file_of(one)
    return (image is not None and image == record_of(other).image) or (
        path is not None and path == file_of(other)
    )


def _shown_by(image: Image) -> tuple[str, int | None]:
    record = record_of(image)
    return record.sequence, record.channel


def _named(mask: Layer, images: list[Image]) -> list[Image]:
    """Return the images whose file the mask's file is named after, else which it names itself."""
    own, scan = file_of(mask), record_of(mask).scan
    files = {image: path for image in images if (path := file_of(image)) is not None}
    if own is None:
        return []
    beside = {image: path for image, path in files.items() if path.parent == own.parent}
    for image, path in beside.items():
        if short_name(own) in {short_name(path) + end for end in MASK_ENDS}:
            return [image]
    source = (scan.meta.get("description") or {}).get("source") if scan is not None else None
    named = [image for image, path in files.items() if path.name == source]
    return [image for image in named if image in beside] or named


def _are_placed_alike(mask: Layer, image: Image) -> bool:
    step = min(abs(size) for size in image.scale) or 1.0
    return np.allclose(mask.extent.world, image.extent.world, rtol=0, atol=1e-3 * step)
