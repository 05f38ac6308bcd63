"""Predictions in a labels layer: filled in without ever touching what the user edited."""

from __future__ import annotations

import zlib
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari._layers import METADATA_KEY, add_labels, categories_of, metadata_of
from napari_unet_seg._napari._sparse import sparse_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.config import Category

Array = np.ndarray[Any, np.dtype[Any]]
Place = tuple[int, ...]

_PREDICTED = "predicted"
"""In the layer's metadata: the checksum of each predicted slice, by its place."""


def show_prediction(
    viewer: ViewerModel,
    image: Image,
    mask: Labels | None,
    labels: Array,
    categories: tuple[Category, ...],
    place: Place,
    model: dict[str, str],
) -> Labels:
    """Put a prediction into the mask of its image, or into a new one.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    image : Image
        What was segmented.
    mask : Labels or None
        The layer of an earlier prediction of this image; taken if it is still there, has the
        same categories, and the user has edited none of the slices that would change.
    labels : array
        Label values of the slice at `place`, or of the whole image.
    categories : tuple of Category
        What the label values stand for.
    place : tuple of int
        Index along the leading axes; empty for the whole image.
    model : dict
        What drew it, kept with the layer.

    Returns
    -------
    Labels
        The layer that holds the prediction.
    """
    if mask is not None and mask in viewer.layers and categories_of(mask) == categories:
        if is_untouched(mask, labels, place):
            _fill(mask, labels, place)
            _remember(mask, labels, place, model)
            return mask
    layer = add_labels(
        viewer, _whole(image, labels, place), image, categories, f"{image.name} mask"
    )
    layer.metadata[METADATA_KEY][_PREDICTED] = {}
    _remember(layer, labels, place, model)
    return layer


def is_untouched(mask: Labels, labels: Array, place: Place = ()) -> bool:
    """Tell whether the slices of a prediction are as the last one left them, or still empty."""
    known = metadata_of(mask).get(_PREDICTED, {})
    for where, plane in _planes(mask.data[place], labels.shape, place):
        if where in known:
            if _checksum(plane) != known[where]:
                return False
        elif plane.any():
            return False
    return True


def _whole(image: Image, labels: Array, place: Place) -> Array:
    if not place:
        return labels
    grid = tuple(image.data.shape[: image.ndim]) if not image.multiscale else image.data[0].shape
    full = sparse_zeros(tuple(int(n) for n in grid[: image.ndim]), labels.dtype)
    full[place] = labels
    return full


def _fill(mask: Labels, labels: Array, place: Place) -> None:
    """Change the pixels that differ, as one step that Ctrl+Z takes back."""
    changed = np.nonzero(mask.data[place] != labels)
    if not changed[0].size:
        return
    where = tuple(np.full(changed[0].size, index) for index in place)
    with mask.block_history():
        mask.data_setitem((*where, *changed), labels[changed])


def _remember(mask: Labels, labels: Array, place: Place, model: dict[str, str]) -> None:
    known = mask.metadata[METADATA_KEY]
    known["checkpoint"] = model
    known[_PREDICTED] |= {w: _checksum(p) for w, p in _planes(labels, labels.shape, place)}


def _planes(data: Any, shape: tuple[int, ...], place: Place) -> Iterator[tuple[Place, Array]]:
    for index in product(*(range(n) for n in shape[:-2])):
        yield (*place, *index), np.asarray(data[index])


def _checksum(plane: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(plane).data)
