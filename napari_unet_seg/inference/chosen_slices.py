"""Prediction of some slices of a scan, in the order in which they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_unet_seg.events import Command, SlicePredicted
from napari_unet_seg.inference.predicted_dice import agreeing, predicted_dice, slice_dice
from napari_unet_seg.inference.removal.brain import Brain
from napari_unet_seg.inference.result import ResultBuffer
from napari_unet_seg.inference.scan_prediction import predict_scan
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.events import PredictEvent
    from napari_unet_seg.inference.loaded_model import LoadedModel
    from napari_unet_seg.inference.slices import SliceReader

    Predicted = Generator[SlicePredicted | PredictEvent, Command | None, None]


def predict_chosen(model: LoadedModel, reader: SliceReader, indices: Sequence[int]) -> Predicted:
    """Predict slices, one `SlicePredicted` each.

    With a 3D network, or across Y or X, the whole scan is predicted first. Of a volume the slices
    beside are predicted too, for the predicted Dice.

    Parameters
    ----------
    model : LoadedModel
        The model, with the configuration.
    reader : SliceReader
        The scan.
    indices : sequence of int
        Running numbers of the slices along the flattened leading axes.
    """
    if model.info.model.dimensions == 2 and model.config.across == "Z":
        yield from _one_by_one(model, reader, indices)
    else:
        yield from _out_of_whole(model, reader, indices)


def _one_by_one(model: LoadedModel, reader: SliceReader, indices: Sequence[int]) -> Predicted:
    brain = Brain(model.config, reader) if model.config.inside_brain else None
    known: dict[int, tuple[Array, float]] = {}
    left = set(indices)
    for done, index in enumerate(indices, 1):
        beside = _beside(reader, index)
        for each in (index, *beside):
            while each not in known:
                try:
                    known[each] = _predict(model, reader, each, brain)
                except Exception as error:
                    yield model.reduce_memory(error)
        left.discard(index)
        labels, calibrated = known[index]
        alike = [float(slice_dice(labels, known[each][0])) for each in beside]
        dice = agreeing(calibrated, alike)
        known = {k: v for k, v in known.items() if left & {k - 1, k, k + 1}}
        if (yield SlicePredicted(index, labels, dice, done, len(indices))) is Command.STOP:
            return


def _beside(reader: SliceReader, index: int) -> list[int]:
    """Return the slices beside a slice in its volume."""
    if not reader.volumes:
        return []
    place = reader.position(index)[-1]
    return [index + by for by in (-1, 1) if 0 <= place + by < reader.leading[-1]]


def _predict(
    model: LoadedModel, reader: SliceReader, index: int, brain: Brain | None
) -> tuple[Array, float]:
    """Return the labels of a slice and its calibrated expected Dice."""
    probabilities, _ = model.predictor.probabilities(reader.read((index,)), model.config)
    labels = to_labels(probabilities, model.info.model.head, model.config.threshold)
    plane: Array = labels[0].cpu().numpy()
    if brain:
        plane, _ = brain.keep_inside(index, plane)
        labels = torch.from_numpy(plane[None]).to(labels)
    return plane, float(predicted_dice(probabilities, labels, model.info)[0])


def _out_of_whole(model: LoadedModel, reader: SliceReader, indices: Sequence[int]) -> Predicted:
    plain = model.config.replace(probabilities=False, uncertainty=False, disagreement=False)
    whole = ResultBuffer(plain, model.info, reader)
    if (yield from predict_scan(model, reader, whole)):
        return
    whole.compare_neighbours()
    for done, index in enumerate(indices, 1):
        position = reader.position(index)
        labels, dice = whole.labels[position], float(whole.dice[position])
        if (yield SlicePredicted(index, labels, dice, done, len(indices))) is Command.STOP:
            return
