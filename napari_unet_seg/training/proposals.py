"""Proposals for slices by a head that is fitted to corrected slices in about a second."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from napari_unet_seg import log
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, HeadFitted, Progress
from napari_unet_seg.inference.chosen_slices import predict_chosen
from napari_unet_seg.inference.head import FEWEST, has_features
from napari_unet_seg.inference.head.check import compare
from napari_unet_seg.inference.head.features import features_of
from napari_unet_seg.inference.head.fitting import Example, fit_head
from napari_unet_seg.inference.head.headed import HeadedModel
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.slices import SliceReader

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import PredictEvent, SlicePredicted
    from napari_unet_seg.inference.predictor import Predictor
    from napari_unet_seg.io.common.scan import Scan

_MOST = 40
"""Corrected slices that are learnt from, so that it takes no longer with more."""
_INSIDE = 0.5
"""Share of a pixel at the size of training that a mask covers."""


def propose(
    config: PredictConfig,
    checkpoint: Path,
    samples: SampleSet,
    scan: Scan,
    indices: Sequence[int],
) -> Generator[Progress | HeadFitted | SlicePredicted | PredictEvent, Command | None, None]:
    """Predict slices by a head on the features of a model, if it beats the model.

    Parameters
    ----------
    config : PredictConfig
        Device and precision.
    checkpoint : Path
        A 2D U-Net, which stays as it is.
    samples : SampleSet
        Corrected slices, five or more; of more than forty some are drawn.
    scan : Scan
        The scan of the slices to predict.
    indices : sequence of int
        Running numbers of these slices.

    Yields
    ------
    Progress, HeadFitted, SlicePredicted or PredictEvent
        `HeadFitted` has the Dice of model and head on held-out slices. One `SlicePredicted` for
        each slice follows if the head is better, else nothing.

    Raises
    ------
    DataError
        If there are too few slices, or they or the scan do not fit the model.
    CheckpointError
        If the model cannot be read.
    """
    start = time.perf_counter()
    model = LoadedModel(config, checkpoint)
    _check(model, samples, checkpoint)
    chosen = _drawn(samples.samples)
    with log.operation("fit head", slices=len(chosen)):
        examples = []
        for done, sample in enumerate(chosen, 1):
            examples.append(example_of(model.predictor, sample))
            if (yield Progress(done, len(chosen))) is Command.STOP:
                return
        found = compare(examples, [sample.group for sample in chosen])
    fitted = HeadFitted(
        len(chosen), found.network, found.head, found.is_better, time.perf_counter() - start
    )
    if (yield fitted) is Command.STOP:
        return
    if found.is_better:
        headed = HeadedModel(model, fit_head(examples))
        yield from predict_chosen(headed, SliceReader(scan, model.info), indices)


def example_of(predictor: Predictor, sample: Sample) -> Example:
    """Return a corrected slice as a head sees it."""
    info = predictor.info
    image, labels = read_sample(sample, info.model.in_channels, info.normalise)
    seen = torch.from_numpy(np.moveaxis(image, -1, 0)[None].copy()).float().div(255)
    features = features_of(predictor, seen.to(predictor.device))[0].half().cpu()
    values = torch.arange(1, info.model.classes + 1).view(-1, 1, 1)
    size = features.shape[-2:]

    def shrunk(masks: torch.Tensor) -> torch.Tensor:
        covered = F.interpolate(masks.float()[None], size, mode="bilinear", antialias=True)
        return covered[0] > _INSIDE

    marked = torch.from_numpy(labels.astype(np.int64))[None]
    return Example(features, shrunk(marked == values), shrunk(marked != IGNORE_INDEX)[0])


def _check(model: LoadedModel, samples: SampleSet, checkpoint: Path) -> None:
    count = len(samples.samples)
    if not has_features(model.info):
        raise DataError(
            f"{checkpoint.name} is no U-Net of slices, and cannot learn in a second; fine-tune it."
        )
    if count < FEWEST:
        raise DataError(f"{count} slices are too few to learn from; accept {FEWEST} or more.")


def _drawn(samples: Sequence[Sample]) -> list[Sample]:
    """Return all samples in their order, or as many as are learnt from, evenly spaced."""
    step = max(1.0, len(samples) / _MOST)
    return [samples[math.floor(i * step)] for i in range(min(len(samples), _MOST))]
