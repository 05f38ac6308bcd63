"""Predictions in a labels layer: filled in without ever touching what the user edited."""

from __future__ import annotations

import zlib
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.carried import Map, ModelFile, carried, carry
from napari_unet_seg._napari.layers.edits import put_slice
from napari_unet_seg._napari.layers.layers import add_labels, add_map, categories_of
from napari_unet_seg.io.common.places import Place
from napari_unet_seg.io.common.sparse import sparse_zeros

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
    place: Place,
    sums: Checksums,
    model: ModelFile,
    dice: Array | None = None,
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
        same categories, and the user has neither edited nor decided on a slice that would change.
    labels : array
        Label values of the slice at `place`, or of the whole image.
    categories : tuple of Category
        What the label values stand for.
    place : tuple of int
        Index along the leading axes; empty for the whole image.
    sums : dict
        `checksums` of the prediction.
    model : ModelFile
        What drew it, kept with the layer.
    dice : array, optional
        Predicted Dice of each slice, of the labels' leading shape; kept with the layer by place.

    Returns
    -------
    Labels
        The layer that holds the prediction.
    """
    if mask is not None and mask in viewer.layers and categories_of(mask) == categories:
        if is_untouched(mask, sums) and not carried(mask).decided & sums.keys():
            put_slice(mask, labels, place)
            _remember(mask, sums, model, _by_place(dice, place))
            return mask
    layer = add_labels(
        viewer, _whole(image, labels, place), image, categories, f"{image.name} mask"
    )
    _remember(layer, sums, model, _by_place(dice, place))
    return layer


def note_prediction(mask: Labels, place: Place, dice: float) -> None:
    """Remember a slice of a mask as predicted as it is, and how well it is likely to fit."""
    sums = {place: _checksum(np.asarray(mask.data[place]))}
    _remember(mask, sums, carried(mask).model, {place: dice})


def note_decided(mask: Labels, places: Iterable[Place]) -> None:
    """Remember which slices of a mask were decided on, so that no prediction takes their place."""
    carry(mask, decided=frozenset(places))


def checksums(labels: Array, place: Place = ()) -> Checksums:
    """Return a checksum of each slice of a prediction that lies at `place`."""
    return {
        (*place, *index): _checksum(labels[index])
        for index in product(*(range(n) for n in labels.shape[:-2]))
    }


def is_untouched(mask: Labels, places: Iterable[Place]) -> bool:
    """Tell whether slices are as the last prediction left them, or empty where none was made."""
    known = carried(mask).predicted
    for place in places:
        plane = np.asarray(mask.data[place])
        if place in known:
            if _checksum(plane) != known[place]:
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


def _remember(
    mask: Labels, sums: Checksums, model: ModelFile | None, dice: dict[Place, float]
) -> None:
    known = carried(mask)
    carry(
        mask,
        model=model,
        predicted=known.predicted | sums,
        predicted_dice=known.predicted_dice | dice,
    )


def _by_place(dice: Array | None, place: Place) -> dict[Place, float]:
    found = () if dice is None else np.ndenumerate(dice)
    return {(*place, *index): float(value) for index, value in found}


def _checksum(plane: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(plane).data)


def probability_map(viewer: ViewerModel, mask: Labels, category: Category) -> Array | None:
    """Return how probable a category is, on the mask's grid; zero where nothing was predicted."""
    kind = _probability_of(category)
    return next((m.data for m in maps_of(viewer, mask) if _map_of(m).kind == kind), None)


def maps_of(viewer: ViewerModel, mask: Labels) -> list[Image]:
    """Return the maps that were shown with the predictions of a mask."""
    return [
        layer
        for layer in viewer.layers
        if _map_of(layer).mask == mask.unique_id and layer.data.shape == mask.data.shape
    ]


def show_maps(
    viewer: ViewerModel, image: Image, mask: Labels, prediction: PredictFinished, place: Place
) -> None:
    """Show the maps that were asked for below the mask, in place of those of the last time."""
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
    shown = {_map_of(layer).kind: layer for layer in maps_of(viewer, mask)}
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


def _map_of(layer: Layer) -> Map:
    return carried(layer).map or Map("")


def _probability_of(category: Category) -> str:
    return f"probability of {category.name}"


def is_prediction(mask: Labels, place: tuple[int, ...]) -> bool:
    """Whether a slice of a mask is just as Segment left it there."""
    return place in carried(mask).predicted and is_untouched(mask, (place,))


def figures_of(mask: Labels) -> tuple[float | None, ...]:
    """Return the predicted Dice of every slice of a mask, None where it is not known."""
    known = carried(mask).predicted_dice
    return tuple(known.get(place) for place in np.ndindex(mask.data.shape[:-2]))
