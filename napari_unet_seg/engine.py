"""Training and prediction as generators of events: the interface to everything with torch.

A front end loops over the events. It pauses by not asking for the next event, and stops by sending
`Command.STOP` at every event from then on: results so far are then saved before the generator ends.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg import log
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.events import Refined, SampleMeasured
from napari_unet_seg.inference.chosen_slices import predict_chosen
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.prompted.answer import answer, check, check_grids
from napari_unet_seg.inference.result import ResultBuffer
from napari_unet_seg.inference.scan_prediction import keep_inside, predict_scan
from napari_unet_seg.inference.slices import SliceReader
from napari_unet_seg.inference.sliding_window import sample_probabilities
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.window import Windowed
from napari_unet_seg.io.disk.files import write_error

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import PredictConfig, TrainConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.evaluation.metrics import Counts
    from napari_unet_seg.events import (
        Command,
        DeviceFallback,
        Evaluated,
        PredictEvent,
        SlicePredicted,
        TrainEvent,
    )
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows


def train(
    config: TrainConfig,
    samples: SampleSet,
    run: Path,
    *,
    init: Path | None = None,
    resume: Path | None = None,
    replay: Sequence[Sample] = (),
) -> Generator[TrainEvent, Command | None, None]:
    """Train a net, or fine-tune a checkpoint.

    Parameters
    ----------
    config : TrainConfig
        Configuration of model and training. The data set the number of classes and the head.
    samples : SampleSet
        Slices or volumes with masks; samples without a split are split by group.
    run : Path
        Folder for the configuration, the split, the history and the checkpoints.
    init : Path, optional
        Checkpoint to start from; the net then has the architecture of this checkpoint. If its
        classes, head and prompts are those of the net and samples are held out, its weights stay
        the best until an epoch has a higher Dice on them beyond chance (paired t test, one-sided,
        5 %; with fewer than five pairs just a better score); `TrainFinished.best_epoch` is then 0.
    resume : Path, optional
        `last.safetensors` of a run, which continues with its next epoch.
    replay : sequence of Sample, optional
        Samples of previous data to train on too; near-copies of held-out samples are skipped.

    Yields
    ------
    TrainEvent
        `ItemDone` while the data are read, `TrainStarted`, one `BatchEnd` per step and one
        `EpochEnd` per epoch, with `Preview` and `CheckpointSaved`; `TrainFinished` at the end.

    Raises
    ------
    DataError
        If the data cannot be used; as `UnconfirmedError` if a category fills under a thousandth of
        every slice, or a hundred categories have no names, and the samples are not `confirmed`.
    CheckpointError
        If the checkpoint to start from, or to resume, cannot be used.
    EngineError
        If the device does not exist, or the loss is not finite.
    """
    # Imported here, since the imports of training would delay the first prediction by 0.3 seconds.
    from napari_unet_seg.training.setup import prepare

    with log.operation("train", run=run.name, samples=len(samples.samples)) as facts:
        loop = yield from prepare(config, samples, run, init=init, resume=resume, replay=replay)
        started = loop.started()
        facts |= {"device": started.device, "epochs": started.epochs, "steps": started.steps}
        with loop.run.in_use():
            yield started
            loop.measure_start()
            stopped = False
            while not stopped and loop.has_next_epoch:
                stopped = yield from loop.train_epoch()
                yield from loop.end_epoch()
            yield loop.finished(stopped)


def predict(
    config: PredictConfig,
    checkpoint: Path,
    scan: Scan,
    folder: Path | None = None,
    window: Windows | None = None,
) -> Generator[PredictEvent, Command | None, None]:
    """Segment a scan, slice by slice with a 2D network, volume by volume with a 3D network.

    Parameters
    ----------
    config : PredictConfig
        Threshold, device, views, and which maps to keep.
    checkpoint : Path
        The model.
    scan : Scan
        Any number of axes before `YX`, with or without colour; a lazy array is read slice by slice.
    folder : Path, optional
        An empty folder for the result, whose arrays are then Zarr arrays. Memory holds one batch of
        slices and one chunk of a lazy scan; with a 3D network the slices of one tile; across Y or
        X 64 slices, while the folder holds a temporary copy of a lazy scan. Carrying reads the
        slices of each part again, and holds some bits for each of their pixels.
    window : tuple of float, optional
        Intensities that become black and white, if the scan is a part of a larger scan.

    Yields
    ------
    PredictEvent
        `PredictStarted`, one `TileDone` per batch or tile, then, of parts that are carried, some
        per part; and `PredictFinished` with the result;
        `DeviceFallback` if memory ran out. After `Command.STOP` no result follows.

    Raises
    ------
    DataError
        If the scan does not fit the model, or the folder cannot be written.
    CheckpointError
        If the model cannot be read.
    """
    start = time.perf_counter()
    model = LoadedModel(config, checkpoint)
    reader = SliceReader(scan, model.info, window=window)
    name, size = scan.path.name if scan.path else "array", (*reader.leading, *reader.plane)
    try:
        with log.operation("predict", scan=name, size=size, device=model.device):
            result = ResultBuffer(config, model.info, reader, folder)
            stopped = yield from predict_scan(model, reader, result)
            if not stopped and model.carries:
                # Imported here, since it needs SciPy, which would hold up the first prediction.
                from napari_unet_seg.prompting.carried_parts import carry_parts

                stopped = yield from carry_parts(config, reader, result)
                if result.carried and not stopped:
                    stopped = yield from keep_inside(model, reader, result)
            if not stopped:
                result.compare_neighbours()
    except OSError as error:
        if folder is None:
            raise
        raise write_error(folder, error) from error
    if not stopped:
        yield result.finished(model.device, time.perf_counter() - start)


def predict_slices(
    config: PredictConfig, checkpoint: Path, scan: Scan, indices: Sequence[int]
) -> Generator[SlicePredicted | PredictEvent, Command | None, None]:
    """Segment some slices of a scan, in the order given.

    Parameters
    ----------
    config, checkpoint, scan
        As `predict` takes them. With a 3D network, or across Y or X, the whole scan is segmented
        first, with the events of `predict`; else, of volumes, the slices beside those wanted too,
        which count for the predicted Dice. Their masks are not carried.
    indices : sequence of int
        Running numbers of the slices along the flattened leading axes.

    Yields
    ------
    SlicePredicted or PredictEvent
        One `SlicePredicted` per slice, until `Command.STOP`; `DeviceFallback` if memory ran out.

    Raises
    ------
    DataError, CheckpointError
        As `predict`.
    """
    model = LoadedModel(config, checkpoint)
    yield from predict_chosen(model, SliceReader(scan, model.info), indices)


def warm_up(
    config: PredictConfig, checkpoint: Path
) -> Generator[PredictEvent, Command | None, None]:
    """Load a model and run it once, so that the next prediction is fast.

    Yields
    ------
    PredictEvent
        One `PredictStarted`.
    """
    model = LoadedModel(config, checkpoint)
    info = model.info
    slices = [info.patch_slices] if info.model.dimensions == 3 else []
    size = (info.model.channels, *slices, info.image_size, info.image_size)
    if info.model.prompts:
        model.predictor.logits(torch.zeros(1, *size))
    else:
        sample_probabilities(model.predictor, np.zeros(size, np.uint8), config)
    yield model.started(0)


def refine(
    config: PredictConfig,
    checkpoint: Path,
    image: Scan,
    prompts: np.ndarray,
    previous: np.ndarray | None = None,
    window: Windows | None = None,
    others: Sequence[tuple[Scan, Windows | None]] = (),
) -> Generator[Refined | DeviceFallback, Command | None, None]:
    """Segment the object that prompts mark, in a time that does not grow with the image.

    Parameters
    ----------
    config : PredictConfig
        Threshold and device.
    checkpoint : Path
        A model that was trained with prompts.
    image : Scan
        A slice, or a volume for a 3D network.
    prompts : array
        Maps of positive prompts, negative prompts and boxes, bool of shape (3, …) on the image's
        grid.
    previous : array, optional
        The present mask, bool on the image's grid: of a previous call, of another model, of a
        person, or of the neighbouring slice.
    window : tuple of float, optional
        Intensities that become black and white, if the image is a part of a scan.
    others : sequence of tuple
        Further sequences of the case on the image's grid, each with its `window`: the network looks
        at all, and its probabilities are averaged.

    Yields
    ------
    Refined or DeviceFallback
        `Refined` is the last event; `DeviceFallback` comes before it if memory ran out.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or was not trained with prompts.
    DataError
        If image, prompts, mask and further sequences do not fit each other or the model.
    """
    start = time.perf_counter()
    model = LoadedModel(config, checkpoint)
    names = model.info.sequences
    image = by_name(image, names)
    further = [Windowed(by_name(scan, names), own) for scan, own in others]
    check(checkpoint, model.info, image, prompts, previous)
    check_grids(image, further)
    answered = None
    while answered is None:
        try:
            answered = answer(model.predictor, image, prompts, previous, window, further)
        except Exception as error:
            yield model.reduce_memory(error)
    (sides, probable), seconds = answered, time.perf_counter() - start
    mask = probable >= config.threshold
    yield Refined(sides, mask, probable.astype(np.float16), model.device, seconds)


def evaluate_samples(
    checkpoint: Path, samples: SampleSet, config: PredictConfig
) -> Generator[SampleMeasured | Evaluated, Command | None, None]:
    """Measure a checkpoint on samples with their truth, at the samples' own size.

    Parameters
    ----------
    checkpoint : Path
        The model.
    samples : SampleSet
        Slices, or volumes for a 3D network, with masks.
    config : PredictConfig
        Threshold, device, views and precision.

    Yields
    ------
    SampleMeasured or Evaluated
        One `SampleMeasured` per sample, then the metrics.

    Raises
    ------
    DataError
        If a sample cannot be read or does not fit the model.
    CheckpointError
        If the model cannot be read.
    """
    # Simulated prompts need SciPy and scikit-image, which would hold up the first prediction.
    from napari_unet_seg.evaluation.sample_counts import sample_counts, summary

    predictor = LoadedModel(config, checkpoint).predictor
    info, total = predictor.info.model, len(samples.samples)
    counts: list[Counts] = []
    for number, sample in enumerate(samples.samples, 1):
        image, truth = read_sample(sample, info.in_channels, predictor.info.normalise)
        counts += sample_counts(predictor, image, truth, len(samples.categories), config)
        yield SampleMeasured(number, total, sample.name)
    yield summary(checkpoint, counts, total)
