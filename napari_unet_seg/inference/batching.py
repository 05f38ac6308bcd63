"""A scan through the network, with less at a time or elsewhere where memory runs out."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.events import (
    Command,
    DeviceFallback,
    PredictEvent,
    PredictStarted,
    SlicePredicted,
    TileDone,
)
from napari_unet_seg.inference.orientations import CutAverage, at_hand
from napari_unet_seg.inference.predicted_dice import predicted_dice
from napari_unet_seg.inference.predictor import Predictor, load_predictor
from napari_unet_seg.inference.volumes import VolumePass
from napari_unet_seg.nn.devices import device_name, is_out_of_memory
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.result import ResultBuffer
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.inference.volumes import Take

_BATCH = {"cpu": 4, "mps": 64, "cuda": 64}
"""Slices per pass, where none are wished for."""
_LARGE = 320
"""Pixels a side of what the network sees, above which a processor's cache holds half as many."""

Array = np.ndarray[Any, np.dtype[Any]]
Steps = Generator[PredictEvent, Command | None, torch.device | None]
"""The events of a prediction; returns the device at the end, None where it was stopped."""


def by_network(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Steps:
    """Predict slices or volumes, as the network is made for."""
    if predictor.info.model.dimensions == 3:
        return by_volume(config, checkpoint, predictor, reader, result)
    steps = by_slice if config.across == "Z" else by_cuts
    return steps(config, checkpoint, predictor, reader, result)


def by_slice(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Steps:
    """Predict slices as the scan has them."""
    total = reader.count
    yield started(predictor, total)
    after = yield from _batches(config, checkpoint, predictor, reader, result.fill, 0, total)
    return after.device if after else None


def by_cuts(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Steps:
    """Predict slices across one axis, or across several and average."""
    axes = "ZYX" if config.across == "all" else config.across
    total, before = sum(reader.across(axis).count for axis in axes), 0
    yield started(predictor, total)
    with result.arrays.scratch() as scratch:
        whole = yield from at_hand(reader, scratch, total)
        if whole is None:
            return None
        mean = CutAverage(scratch, predictor.info.model.classes, reader, len(axes))
        for cut in map(whole.across, axes):
            with mean.along(cut) as take:
                after = yield from _batches(config, checkpoint, predictor, cut, take, before, total)
            if after is None:
                return None
            predictor = after
            before += cut.count
        for _ in mean.pour(result, reader.across("Z")):
            if (yield TileDone(total, total)) is Command.STOP:
                return None
    return predictor.device


def _batches(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    take: Take,
    before: int,
    total: int,
) -> Generator[PredictEvent, Command | None, Predictor | None]:
    """Predict slices in batches, which are halved where memory runs out."""
    batch, done = config.batch_size or _batch_size(predictor), 0
    while done < reader.count:
        indices = range(done, min(done + batch, reader.count))
        try:
            probable, spread = predictor.look(reader.read(indices), config, reader.aspect)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, batch, fallback = smaller(predictor, config, checkpoint, batch, error)
            yield fallback
            continue
        take(indices, probable, spread)
        done = indices.stop
        if (yield TileDone(before + done, total)) is Command.STOP:
            return None
    return predictor


def _batch_size(predictor: Predictor) -> int:
    kind = predictor.device.type
    halved = kind == "cpu" and predictor.info.image_size > _LARGE
    return _BATCH[kind] // 2 if halved else _BATCH[kind]


def one_by_one(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    indices: Sequence[int],
) -> Generator[SlicePredicted | PredictEvent, Command | None, None]:
    """Predict some slices in the order that is wished for."""
    done = 0
    while done < len(indices):
        index = indices[done]
        try:
            probable, _ = predictor.look(reader.read((index,)), config)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, _, fallback = smaller(predictor, config, checkpoint, 1, error)
            yield fallback
            continue
        found = to_labels(probable, predictor.info.model.head, config.threshold)
        dice = float(predicted_dice(probable, found, predictor.info.calibration)[0])
        done += 1
        labels = found[0].cpu().numpy()
        if (yield SlicePredicted(index, labels, dice, done, len(indices))) is Command.STOP:
            return


def by_volume(
    config: PredictConfig,
    checkpoint: Path,
    predictor: Predictor,
    reader: SliceReader,
    result: ResultBuffer,
) -> Steps:
    """Predict volumes tile by tile; one that memory runs out in is begun again."""
    slices = reader.volume_slices()
    volumes = reader.count // slices
    total = 0
    number = 0
    while number < volumes:
        indices = range(number * slices, (number + 1) * slices)
        work = VolumePass(predictor, config, indices, reader.plane, reader.read, result.fill)
        if not total:
            total = volumes * len(work.places)
            yield started(predictor, total)
        try:
            for done in work.run():
                event = TileDone(number * len(work.places) + done, total)
                if (yield event) is Command.STOP:
                    return None
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, _, fallback = smaller(predictor, config, checkpoint, 1, error)
            yield fallback
            continue
        number += 1
    return predictor.device


def ready(config: PredictConfig, checkpoint: Path) -> Predictor:
    """Load a model as it is to be run."""
    if config.threads:
        torch.set_num_threads(config.threads)
    return load_predictor(checkpoint, config.device, config.precision)


def started(predictor: Predictor, count: int) -> PredictStarted:
    """Tell where the model runs, and over how many slices or tiles."""
    precision = str(predictor.dtype).removeprefix("torch.")
    return PredictStarted(device_name(predictor.device), precision, count)


def smaller(
    predictor: Predictor, config: PredictConfig, checkpoint: Path, batch: int, error: Exception
) -> tuple[Predictor, int, DeviceFallback]:
    """After memory ran out: half the batch, then the processor, then give up."""
    if predictor.device.type != "cpu":
        torch.cuda.empty_cache()
    if batch > 1:
        name = device_name(predictor.device)
        message = f"Memory of the {name} ran out; going on with {batch // 2} slices at a time."
        return predictor, batch // 2, DeviceFallback(name, batch // 2, message)
    if predictor.device.type == "cpu":
        raise error
    slower = load_predictor(checkpoint, "cpu", config.precision)
    message = "Memory of the GPU ran out; going on with the CPU, which takes longer."
    batch = config.batch_size or _batch_size(slower)
    return slower, batch, DeviceFallback("cpu", batch, message)
