"""Prediction of a whole scan, which goes on in smaller batches or on the CPU if memory runs out."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import torch

from napari_unet_seg.events import (
    Command,
    DeviceFallback,
    PredictEvent,
    PredictStarted,
    SlicePredicted,
    TileDone,
)
from napari_unet_seg.inference.orientations import OrientationAverage, random_access_reader
from napari_unet_seg.inference.predicted_dice import predicted_dice
from napari_unet_seg.inference.predictor import Predictor, load_predictor
from napari_unet_seg.inference.removal.brain import Brain
from napari_unet_seg.inference.sliding_window import SlidingWindow
from napari_unet_seg.nn.devices import device_name, is_out_of_memory
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.result import ResultBuffer
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.inference.sliding_window import SliceSink

_BATCH = {"cpu": 4, "mps": 64, "cuda": 64}
"""Slices per forward pass on each kind of device, if the configuration sets no batch size."""
_LARGE = 320
"""Network input size in pixels above which the batch on a CPU is halved to stay in its cache."""

Prediction = Generator[PredictEvent, Command | None, torch.device | None]
"""Events of a prediction; the return value is the last device used, or None after a stop."""


def predict_scan(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Prediction:
    """Predict a scan by slices with a 2D network, by volumes with a 3D network.

    At the end what lies outside the brain is removed, and small parts from the masks of volumes, if
    the configuration says so.

    Parameters
    ----------
    config : PredictConfig
        Batch size, views, tiling, threshold, and the axes that slices are taken across.
    checkpoint : Path
        The model, which is loaded again for the CPU if the memory of a GPU runs out.
    predictor : Predictor
        The model, ready to run.
    reader : SliceReader
        The scan.
    result : ResultBuffer
        Arrays that the prediction fills.

    Raises
    ------
    DataError
        If the scan cannot be read, or has no axes that fit the model or `config.across`.
    """
    predict = predict_slice_by_slice if config.across == "Z" else predict_across_axes
    if predictor.info.model.dimensions == 3:
        predict = predict_volumes
    device = yield from predict(config, checkpoint, predictor, reader, result)
    if device is None:
        return None
    if config.inside_brain:
        for _ in result.keep_inside(Brain(config, reader)):
            if (yield TileDone(1, 1)) is Command.STOP:
                return None
    result.remove_small()
    return device


def predict_slice_by_slice(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Prediction:
    """Predict the slices of a scan in their order."""
    total = reader.count
    yield predict_started(predictor, total)
    after = yield from _batches(config, checkpoint, predictor, reader, result.fill, 0, total)
    return after.device if after else None


def predict_across_axes(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Prediction:
    """Predict the slices across one axis, or the mean over the slices across all three axes."""
    axes = "ZYX" if config.across == "all" else config.across
    total, before = sum(reader.across(axis).count for axis in axes), 0
    yield predict_started(predictor, total)
    with result.arrays.scratch() as scratch:
        volume = yield from random_access_reader(reader, scratch, total)
        if volume is None:
            return None
        mean = OrientationAverage(scratch, predictor.info.model.classes, reader, len(axes))
        for slices in map(volume.across, axes):
            with mean.sink(slices) as sink:
                after = yield from _batches(
                    config, checkpoint, predictor, slices, sink, before, total
                )
            if after is None:
                return None
            predictor = after
            before += slices.count
        for _ in mean.copy_to(result, reader.across("Z")):
            if (yield TileDone(total, total)) is Command.STOP:
                return None
    return predictor.device


def _batches(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    sink: SliceSink,
    before: int,
    total: int,
) -> Generator[PredictEvent, Command | None, Predictor | None]:
    """Predict slices in batches, which are halved if memory runs out; None after a stop."""
    batch, done = config.batch_size or _batch_size(predictor), 0
    while done < reader.count:
        indices = range(done, min(done + batch, reader.count))
        try:
            probabilities, disagreement = predictor.probabilities(
                reader.read(indices), config, reader.aspect
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, batch, fallback = reduce_memory(predictor, config, checkpoint, batch, error)
            yield fallback
            continue
        sink(indices, probabilities, disagreement)
        done = indices.stop
        if (yield TileDone(before + done, total)) is Command.STOP:
            return None
    return predictor


def _batch_size(predictor: Predictor) -> int:
    kind = predictor.device.type
    halved = kind == "cpu" and predictor.info.image_size > _LARGE
    return _BATCH[kind] // 2 if halved else _BATCH[kind]


def predict_single_slices(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    indices: Sequence[int],
) -> Generator[SlicePredicted | PredictEvent, Command | None, None]:
    """Predict the slices of these indices, one `SlicePredicted` each, in the order given."""
    brain = Brain(config, reader) if config.inside_brain else None
    done = 0
    while done < len(indices):
        index = indices[done]
        try:
            probabilities, _ = predictor.probabilities(reader.read((index,)), config)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, _, fallback = reduce_memory(predictor, config, checkpoint, 1, error)
            yield fallback
            continue
        labels = to_labels(probabilities, predictor.info.model.head, config.threshold)
        plane = labels[0].cpu().numpy()
        if brain:
            plane, _ = brain.keep_inside(index, plane)
            labels = torch.from_numpy(plane[None]).to(labels)
        dice = float(predicted_dice(probabilities, labels, predictor.info)[0])
        done += 1
        if (yield SlicePredicted(index, plane, dice, done, len(indices))) is Command.STOP:
            return


def predict_volumes(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Prediction:
    """Predict volumes tile by tile; a volume restarts on the CPU if memory runs out in it."""
    slices = reader.slices_per_volume()
    volumes = reader.count // slices
    total = 0
    number = 0
    while number < volumes:
        indices = range(number * slices, (number + 1) * slices)
        window = SlidingWindow(predictor, config, indices, reader.plane, reader.read, result.fill)
        if not total:
            total = volumes * len(window.tiles)
            yield predict_started(predictor, total)
        try:
            for done in window.run():
                event = TileDone(number * len(window.tiles) + done, total)
                if (yield event) is Command.STOP:
                    return None
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, _, fallback = reduce_memory(predictor, config, checkpoint, 1, error)
            yield fallback
            continue
        number += 1
    return predictor.device


def prepare_predictor(config: PredictConfig, checkpoint: Path) -> Predictor:
    """Load a model onto the device, and in the precision, of a configuration.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint of this package.
    EngineError
        If the device does not exist on this machine.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    return load_predictor(checkpoint, config.device, config.precision)


def predict_started(predictor: Predictor, count: int) -> PredictStarted:
    """Return the event that names device and precision, and the number of slices or tiles."""
    precision = str(predictor.dtype).removeprefix("torch.")
    return PredictStarted(device_name(predictor.device), precision, count)


def reduce_memory(
    predictor: Predictor, config: PredictConfig, checkpoint: Path, batch: int, error: Exception
) -> tuple[Predictor, int, DeviceFallback]:
    """Halve the batch; at a batch of one slice change to the CPU; on the CPU raise the error."""
    if predictor.device.type != "cpu":
        torch.cuda.empty_cache()
    if batch > 1:
        name = device_name(predictor.device)
        message = f"The {name} ran out of memory; predicting {batch // 2} slices at a time now."
        return predictor, batch // 2, DeviceFallback(name, batch // 2, message)
    if predictor.device.type == "cpu":
        raise error
    slower = load_predictor(checkpoint, "cpu", config.precision)
    message = "The GPU ran out of memory; predicting on the CPU now, which takes longer."
    batch = config.batch_size or _batch_size(slower)
    return slower, batch, DeviceFallback("cpu", batch, message)
