"""Predictions in a labels layer, which never replace slices that the user has edited."""

from __future__ import annotations

import zlib
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import add_labels, add_map, categories_of
from napari_unet_seg._napari.layers.images.case import mask_name
from napari_unet_seg._napari.layers.layer_record import (
    MapRecord,
    ModelFile,
    record_of,
    update_record,
)
from napari_unet_seg._napari.layers.undoable_edits import replace_slice
from napari_unet_seg.io.common.places import Part, Place, crossed_places, is_place
from napari_unet_seg.io.masks.sparse import sparse_zeros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.events import PredictFinished

Checksums = dict[Place, int]


def show_prediction(
    viewer: ViewerModel,
    image: Image,
    mask: Labels | None,
    labels: Array,
    categories: tuple[Category, ...],
    place: Part,
    sums: Checksums,
    model: ModelFile,
    dice: Array | None = None,
) -> Labels:
    """Write a prediction into the mask of its image, or into a new mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    image : Image
        The image that was segmented.
    mask : Labels or None
        The layer of a previous prediction of this image. It is used again if it is in the viewer,
        and `misfit` finds no reason against it.
    labels : array
        Labels of the slice at `place`, or of the whole image.
    categories : tuple of Category
        The categories of the labels, from 1.
    place : tuple of int or slice
        The plane that was segmented; empty for the whole image.
    sums : dict
        `checksums` of the prediction; not used for planes other than slices.
    model : ModelFile
        The checkpoint that predicted, stored in the layer's record.
    dice : array, optional
        Predicted Dice of each slice, of the labels' leading shape; stored in the layer's record.

    Returns
    -------
    Labels
        The layer with the prediction.
    """
    if mask is not None and mask in viewer.layers and not misfit(mask, place, categories):
        if categories_of(mask) != categories:
            labels = _relabelled(mask, labels, categories)
            sums = checksums(labels, place)
        replace_slice(mask, labels, place)
        _store(mask, place, sums, model, dice)
        return mask
    name = mask_name(image, model, viewer.layers)
    layer = add_labels(viewer, _whole(image, labels, place), image, categories, name)
    _store(layer, place, sums, model, dice)
    return layer


def misfit(mask: Labels, place: Part, categories: tuple[Category, ...]) -> str:
    """Return why a prediction cannot be written into a mask, after the mask's name; else empty.

    A mask with more categories than the model gets those of the same name, unless that would remove
    pixels of the others.
    """
    values = _values_in(mask, categories)
    unknown = [c.name for c, value in zip(categories, values, strict=True) if not value]
    if unknown:
        return f"does not have the category {', '.join(unknown)}"
    written = set(_crossed(mask, place))
    if not is_untouched(mask, written) or record_of(mask).decided & written:
        return "was edited or decided on there"
    if not _has_only(np.asarray(mask.data[place]), values):
        return "has other categories there, which the model does not know"
    return ""


def _has_only(labels: Array, values: list[int]) -> bool:
    """Whether labels are background or of some values; comparing is faster than sorting them."""
    known = labels == 0
    for value in values:
        known |= labels == value
    return bool(known.all())


def _values_in(mask: Labels, categories: tuple[Category, ...]) -> list[int]:
    """Return the label of each category in a mask, by its name; 0 if the mask does not have it."""
    own = {c.name.casefold(): value for value, c in enumerate(categories_of(mask), 1)}
    return [own.get(c.name.casefold(), 0) for c in categories]


def _relabelled(mask: Labels, labels: Array, categories: tuple[Category, ...]) -> Array:
    return np.array([0, *_values_in(mask, categories)], mask.data.dtype)[labels]


def _crossed(mask: Labels, part: Part) -> Iterable[Place]:
    return crossed_places(part, mask.data.shape[:-2])


def _store(mask: Labels, part: Part, sums: Checksums, model: ModelFile, dice: Array | None) -> None:
    """Record the labels that were just written; a plane changes all slices that it crosses."""
    if is_place(part):
        _store_prediction(mask, sums, model, _by_place(dice, part))
    else:
        crossed = {place: _checksum(mask.data[place]) for place in _crossed(mask, part)}
        _store_prediction(mask, crossed, model, {})


def record_prediction(mask: Labels, place: Place, dice: float) -> None:
    """Record the present labels of a slice as its prediction, with the predicted Dice."""
    sums = {place: _checksum(np.asarray(mask.data[place]))}
    _store_prediction(mask, sums, record_of(mask).model, {place: dice})


def record_carried(mask: Labels, places: Iterable[Place]) -> None:
    """Record slices that an object was just carried to."""
    sums = {place: _checksum(np.asarray(mask.data[place])) for place in places}
    update_record(mask, carried=record_of(mask).carried | sums)


def is_carried(mask: Labels, place: Place) -> bool:
    """Whether a slice is as an object was carried to it."""
    known = record_of(mask).carried.get(place)
    return known is not None and known == _checksum(np.asarray(mask.data[place]))


def record_decided(mask: Labels, places: Iterable[Place]) -> None:
    """Record the slices of a mask that were decided on, which no prediction may replace."""
    update_record(mask, decided=frozenset(places))


def checksums(labels: Array, place: Part = ()) -> Checksums:
    """Return a checksum of each slice of a prediction at `place`; none of any other plane."""
    if not is_place(place):
        return {}
    return {
        (*place, *index): _checksum(labels[index])
        for index in product(*(range(n) for n in labels.shape[:-2]))
    }


def is_untouched(mask: Labels, places: Iterable[Place]) -> bool:
    """Whether slices are equal to their last prediction, or empty if they have none."""
    record = record_of(mask).predicted
    for place in places:
        plane = np.asarray(mask.data[place])
        if place in record:
            if _checksum(plane) != record[place]:
                return False
        elif plane.any():
            return False
    return True


def _whole(image: Image, labels: Array, place: Part) -> Array:
    if not place:
        return labels
    grid = tuple(image.data.shape[: image.ndim]) if not image.multiscale else image.data[0].shape
    full = sparse_zeros(tuple(int(n) for n in grid[: image.ndim]), labels.dtype)
    full[place] = labels
    return full


def _store_prediction(
    mask: Labels, sums: Checksums, model: ModelFile | None, dice: dict[Place, float]
) -> None:
    record = record_of(mask)
    update_record(
        mask,
        model=model,
        predicted=record.predicted | sums,
        predicted_dice=record.predicted_dice | dice,
    )


def _by_place(dice: Array | None, place: Place) -> dict[Place, float]:
    found = () if dice is None else np.ndenumerate(dice)
    return {(*place, *index): float(value) for index, value in found}


def _checksum(plane: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(plane).data)


def probability_map(viewer: ViewerModel, mask: Labels, category: Category) -> Array | None:
    """Return the map of a category's probabilities on the mask's grid; zero if not predicted."""
    kind = _probability_of(category)
    return next((m.data for m in maps_of(viewer, mask) if _map_record(m).kind == kind), None)


def maps_of(viewer: ViewerModel, mask: Labels) -> list[Image]:
    """Return the layers of the maps that belong to the predictions of a mask."""
    return [
        layer
        for layer in viewer.layers
        if _map_record(layer).mask == mask.unique_id and layer.data.shape == mask.data.shape
    ]


def show_maps(
    viewer: ViewerModel, image: Image, mask: Labels, prediction: PredictFinished, place: Part
) -> None:
    """Show the maps of a prediction below the mask, in place of the previous maps."""
    maps: list[tuple[str, float, Array]] = []
    if prediction.probabilities is not None:
        maps += [
            (_probability_of(category), 1.0, plane)
            for category, plane in zip(prediction.categories, prediction.probabilities, strict=True)
        ]
    if prediction.uncertainty is not None:
        highest = float(np.log2(max(2, len(prediction.categories) + 1)))
        maps.append(("uncertainty in bits", highest, prediction.uncertainty))
    if prediction.disagreement is not None:
        maps.append(("disagreement of the views", 0.5, prediction.disagreement))
    shown = {_map_record(layer).kind: layer for layer in maps_of(viewer, mask)}
    for kind, high, values in maps:
        if kind in shown:
            shown[kind].data[place] = values
            shown[kind].name = f"{mask.name} · {kind}"
            shown[kind].refresh()
        else:
            add_map(viewer, _whole(image, values.astype(np.float32), place), mask, kind, high=high)
    if maps:
        viewer.layers.move(viewer.layers.index(mask), -1)
        viewer.layers.selection.active = mask


def _map_record(layer: Layer) -> MapRecord:
    return record_of(layer).map or MapRecord("")


def _probability_of(category: Category) -> str:
    return f"probability of {category.name}"


def is_prediction(mask: Labels, place: tuple[int, ...]) -> bool:
    """Whether a slice of a mask is an unedited prediction of Segment."""
    return place in record_of(mask).predicted and is_untouched(mask, (place,))


def predicted_dice_of(mask: Labels) -> tuple[float | None, ...]:
    """Return the predicted Dice of each slice of a mask, None for slices without one."""
    record = record_of(mask).predicted_dice
    return tuple(record.get(place) for place in np.ndindex(mask.data.shape[:-2]))
