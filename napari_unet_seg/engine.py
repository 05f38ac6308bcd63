"""Training and prediction as generators of events: the interface to everything with torch.

A front end loops over the events; it pauses by not asking for the next one, and ends the work
in good order by sending `Command.STOP` at every event from then on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.evaluation.sample_counts import (
    automatic_counts,
    prompted_counts,
    sample_probabilities,
)
from napari_unet_seg.events import (
    Command,
    DeviceFallback,
    Evaluated,
    PredictEvent,
    PredictFinished,
    Refined,
    SampleMeasured,
    SlicePredicted,
)
from napari_unet_seg.inference.batching import by_network, one_by_one, ready, smaller, started
from napari_unet_seg.inference.refined import answer, check
from napari_unet_seg.inference.result import ResultBuffer
from napari_unet_seg.inference.slices import SliceReader
from napari_unet_seg.io.common.files import write_error
from napari_unet_seg.nn.devices import device_name, is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.evaluation.metrics import Counts
    from napari_unet_seg.events import TrainEvent
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Window


def train(
    config: TrainConfig,
    samples: SampleSet,
    run: Path,
    *,
    init: Path | None = None,
    resume: Path | None = None,
    replay: Sequence[Sample] = (),
) -> Generator[TrainEvent, Command | None, None]:
    """Train a net, or fine-tune one.

    Parameters
    ----------
    config : TrainConfig
        Everything but the data. The number of classes and the head follow the data.
    samples : SampleSet
        Slices with masks; those without a side are split by group.
    run : Path
        Folder for the settings, the split, the history and the checkpoints.
    init : Path, optional
        Checkpoint to start from; the net is then built as that one was.
    resume : Path, optional
        `last.safetensors` of a run to go on with, from its next epoch.
    replay : sequence of Sample, optional
        Earlier samples to train on beside the new ones; near-copies of held-out ones are left out.

    Yields
    ------
    TrainEvent
        `ItemDone` while the data are read, `TrainStarted`, one `BatchEnd` a step and one
        `EpochEnd` an epoch, with `Preview` and `CheckpointSaved`; `TrainFinished` at the end.

    Raises
    ------
    DataError
        If the data cannot be used.
    CheckpointError
        If a checkpoint to start from cannot be.
    EngineError
        If the loss stops being a number.
    """
    # What it needs would hold up the first prediction by a third of a second.
    from napari_unet_seg.training.setup import prepare

    course = yield from prepare(config, samples, run, init=init, resume=resume, replay=replay)
    yield course.started()
    stopped = False
    while not stopped and course.goes_on:
        stopped = yield from course.train_epoch()
        yield from course.end_epoch()
    yield course.finished(stopped)


def predict(
    config: PredictConfig,
    checkpoint: Path,
    scan: Scan,
    folder: Path | None = None,
    window: Window | None = None,
) -> Generator[PredictEvent, Command | None, None]:
    """Segment a scan, slice by slice or volume by volume as the network is.

    Parameters
    ----------
    config : PredictConfig
        Threshold, device, and which maps to keep.
    checkpoint : Path
        The model.
    scan : Scan
        Any number of axes before `YX`, with or without colour; read a slice at a time where its
        array is lazy.
    folder : Path, optional
        An empty folder for the result, whose arrays are then of Zarr. In memory are a batch of
        slices and one chunk of a lazy scan, by networks of volumes the slices that a tile reaches,
        and 64 across Y or X, for which the folder holds a copy of a lazy scan meanwhile.
    window : tuple of float, optional
        Intensities of black and white, where the scan is a part of one that has its own.

    Yields
    ------
    PredictEvent
        `PredictStarted`, one `TileDone` a batch, and `PredictFinished` with the result;
        `DeviceFallback` where memory ran out. After `Command.STOP` no result follows.

    Raises
    ------
    DataError
        If the scan does not fit the model, or the folder cannot be written.
    CheckpointError
        If the model cannot be read.
    """
    start = time.perf_counter()
    predictor = ready(config, checkpoint)
    reader = SliceReader(scan, predictor.info, window=window)
    try:
        result = ResultBuffer(config, predictor.info, reader, folder)
        device = yield from by_network(config, checkpoint, predictor, reader, result)
    except OSError as error:
        if folder is None:
            raise
        raise write_error(folder, error) from error
    if device is None:
        return
    yield PredictFinished(
        result.labels,
        result.probabilities,
        result.uncertainty,
        result.disagreement,
        result.dice,
        predictor.info.categories,
        device_name(device),
        time.perf_counter() - start,
    )


def predict_slices(
    config: PredictConfig, checkpoint: Path, scan: Scan, indices: Sequence[int]
) -> Generator[SlicePredicted | PredictEvent, Command | None, None]:
    """Segment some slices of a scan, in the order that is wished for.

    Parameters
    ----------
    config, checkpoint, scan
        As `predict` takes them. A model of volumes, or cuts across Y or X, segment the whole scan
        first, and tell of it as `predict` does.
    indices : sequence of int
        Slices, counted along the leading axes flattened.

    Yields
    ------
    SlicePredicted or PredictEvent
        One `SlicePredicted` for each, until `Command.STOP`; `DeviceFallback` where memory ran out.

    Raises
    ------
    DataError, CheckpointError
        As `predict`.
    """
    predictor = ready(config, checkpoint)
    reader = SliceReader(scan, predictor.info)
    if predictor.info.model.dimensions == 2 and config.across == "Z":
        yield from one_by_one(config, checkpoint, predictor, reader, indices)
        return
    plain = PredictConfig(threshold=config.threshold)  # no maps are asked for
    whole = ResultBuffer(plain, predictor.info, reader)
    if (yield from by_network(config, checkpoint, predictor, reader, whole)) is None:
        return
    for done, index in enumerate(indices, 1):
        place = reader.place(index)
        labels, dice = whole.labels[place], float(whole.dice[place])
        if (yield SlicePredicted(index, labels, dice, done, len(indices))) is Command.STOP:
            return


def warm_up(
    config: PredictConfig, checkpoint: Path
) -> Generator[PredictEvent, Command | None, None]:
    """Load a model and run it once, so that the next prediction is quick; one `PredictStarted`."""
    predictor = ready(config, checkpoint)
    info = predictor.info
    slices = [info.patch_slices] if info.model.dimensions == 3 else []
    size = (info.model.channels, *slices, info.image_size, info.image_size)
    if info.model.prompts:
        predictor.logits(torch.zeros(1, *size))
    else:
        sample_probabilities(predictor, np.zeros(size, np.uint8), config)
    yield started(predictor, 0)


def refine(
    config: PredictConfig,
    checkpoint: Path,
    image: Scan,
    prompts: np.ndarray,
    previous: np.ndarray | None = None,
    window: Window | None = None,
) -> Generator[Refined | DeviceFallback, Command | None, None]:
    """Segment what the prompts on an image mean, in a time that does not grow with the image.

    Parameters
    ----------
    config : PredictConfig
        Threshold and device.
    checkpoint : Path
        A model that follows prompts.
    image : Scan
        A slice, or a volume for a model of volumes.
    prompts : array
        Positive, negative and box, bool of shape (3, …) on the image's grid.
    previous : array, optional
        The mask so far, bool, on the image's grid: an earlier answer, or that of a model, of a
        person, of the slice before.
    window : tuple of float, optional
        Intensities of black and white, where the image is part of a scan.

    Yields
    ------
    Refined or DeviceFallback
        The answer; before it `DeviceFallback` where memory ran out.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or follows no prompts.
    DataError
        If image, prompts and mask do not fit each other or the model.
    """
    start = time.perf_counter()
    predictor = ready(config, checkpoint)
    check(checkpoint, predictor.info, image, prompts, previous)
    answered = None
    while answered is None:
        try:
            answered = answer(predictor, image, prompts, previous, window)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            predictor, _, fallback = smaller(predictor, config, checkpoint, 1, error)
            yield fallback
    sides, probable = answered
    seconds = time.perf_counter() - start
    mask, device = probable >= config.threshold, device_name(predictor.device)
    yield Refined(sides, mask, probable.astype(np.float16), device, seconds)


def evaluate_samples(
    checkpoint: Path, samples: SampleSet, config: PredictConfig
) -> Generator[SampleMeasured | Evaluated, Command | None, None]:
    """Measure a checkpoint on samples with their truth, at their own size.

    Yields
    ------
    SampleMeasured or Evaluated
        One `SampleMeasured` a sample, then the figures.
    """
    predictor = ready(config, checkpoint)
    info = predictor.info
    counts: list[Counts] = []
    for index, sample in enumerate(samples.samples):
        image, truth = read_sample(sample, info.model.in_channels, info.normalise)
        measure = prompted_counts if info.model.prompts else automatic_counts
        counts += measure(predictor, image, truth, len(samples.categories), config)
        yield SampleMeasured(index + 1, len(samples.samples), sample.name)
    present = [c for c in counts if c.tp + c.fp + c.fn]
    yield Evaluated(
        checkpoint,
        float(np.mean([c.dice for c in present])) if present else float("nan"),
        float(np.mean([c.iou for c in present])) if present else float("nan"),
        len(samples.samples),
        len(counts) - len(present),
    )
