"""Prediction of a whole scan: slice by slice, across several axes, or volume by volume."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from napari_unet_seg.events import Command, PredictEvent, TileDone
from napari_unet_seg.inference.orientations import OrientationAverage, random_access_reader
from napari_unet_seg.inference.removal.brain import Brain
from napari_unet_seg.inference.sliding_window import SlidingWindow

if TYPE_CHECKING:
    from napari_unet_seg.inference.loaded_model import LoadedModel
    from napari_unet_seg.inference.result import ResultBuffer
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.inference.sliding_window import SliceSink

Prediction = Generator[PredictEvent, Command | None, bool]
"""Events of a prediction; the return value is whether it was stopped."""


def predict_scan(model: LoadedModel, reader: SliceReader, result: ResultBuffer) -> Prediction:
    """Predict a scan by slices with a 2D network, by volumes with a 3D network.

    At the end what lies outside the brain is removed, and small parts from the masks of volumes, if
    the configuration says so.

    Parameters
    ----------
    model : LoadedModel
        The model, with the configuration: batch size, views, tiling, threshold, and the axes that
        slices are taken across.
    reader : SliceReader
        The scan.
    result : ResultBuffer
        Arrays that the prediction fills.

    Raises
    ------
    DataError
        If the scan cannot be read, or has no axes that fit the model or `config.across`.
    """
    predict = predict_slice_by_slice if model.config.across == "Z" else predict_across_axes
    if model.info.model.dimensions == 3:
        predict = predict_volumes
    if (yield from predict(model, reader, result)):
        return True
    if (yield from keep_inside(model, reader, result)):
        return True
    result.remove_small()
    return False


def keep_inside(model: LoadedModel, reader: SliceReader, result: ResultBuffer) -> Prediction:
    """Remove what lies outside the brain, if the configuration says so."""
    if model.config.inside_brain:
        for _ in result.keep_inside(Brain(model.config, reader)):
            if (yield TileDone(1, 1)) is Command.STOP:
                return True
    return False


def predict_slice_by_slice(
    model: LoadedModel, reader: SliceReader, result: ResultBuffer
) -> Prediction:
    """Predict the slices of a scan in their order."""
    yield model.started(reader.count)
    return (yield from _batches(model, reader, result.fill, 0, reader.count))


def predict_across_axes(
    model: LoadedModel, reader: SliceReader, result: ResultBuffer
) -> Prediction:
    """Predict the slices across one axis, or the mean over the slices across all three axes."""
    axes = "ZYX" if model.config.across == "all" else model.config.across
    total, before = sum(reader.across(axis).count for axis in axes), 0
    yield model.started(total)
    with result.arrays.scratch() as scratch:
        volume = yield from random_access_reader(reader, scratch, total)
        if volume is None:
            return True
        mean = OrientationAverage(scratch, model.info.model.classes, reader, len(axes))
        for slices in map(volume.across, axes):
            with mean.sink(slices) as sink:
                if (yield from _batches(model, slices, sink, before, total)):
                    return True
            before += slices.count
        for _ in mean.copy_to(result, reader.across("Z")):
            if (yield TileDone(total, total)) is Command.STOP:
                return True
    return False


def _batches(
    model: LoadedModel, reader: SliceReader, sink: SliceSink, before: int, total: int
) -> Prediction:
    """Predict slices in batches, which are halved if memory runs out."""
    batch, done = model.batch, 0
    while done < reader.count:
        indices = range(done, min(done + batch, reader.count))
        try:
            probabilities, disagreement = model.predictor.probabilities(
                reader.read(indices), model.config, reader.aspect
            )
        except Exception as error:
            fallback = model.reduce_memory(error, batch)
            batch = fallback.batch_size
            yield fallback
            continue
        sink(indices, probabilities, disagreement)
        done = indices.stop
        if (yield TileDone(before + done, total)) is Command.STOP:
            return True
    return False


def predict_volumes(model: LoadedModel, reader: SliceReader, result: ResultBuffer) -> Prediction:
    """Predict volumes tile by tile; a volume restarts on the CPU if memory runs out in it."""
    slices = reader.slices_per_volume()
    volumes = reader.count // slices
    total = 0
    number = 0
    while number < volumes:
        indices = range(number * slices, (number + 1) * slices)
        window = SlidingWindow(
            model.predictor, model.config, indices, reader.plane, reader.read, result.fill
        )
        if not total:
            total = volumes * len(window.tiles)
            yield model.started(total)
        try:
            for done in window.run():
                event = TileDone(number * len(window.tiles) + done, total)
                if (yield event) is Command.STOP:
                    return True
        except Exception as error:
            yield model.reduce_memory(error)
            continue
        number += 1
    return False
