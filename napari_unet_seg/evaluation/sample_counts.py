"""Counts of pixels of a sample by category, for a model with or without prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.prompts.marks import PREVIOUS
from napari_unet_seg.data.prompts.simulation import click_maps
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.events import Evaluated
from napari_unet_seg.inference.prompted.answer import answer
from napari_unet_seg.inference.sliding_window import sample_probabilities
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.predictor import Predictor


_NORMALISED = (0.0, 255.0)
"""The intensity window that keeps the values of samples that are normalised already."""


def sample_counts(
    predictor: Predictor, image: Array, truth: Array, classes: int, config: PredictConfig
) -> list[Counts]:
    """Count the pixels of each category as predicted by a model.

    Parameters are those of `automatic_counts`.
    """
    measure = prompted_counts if predictor.info.model.prompts else automatic_counts
    return measure(predictor, image, truth, classes, config)


def summary(checkpoint: Path, counts: Sequence[Counts], samples: int) -> Evaluated:
    """Return the mean metrics of a checkpoint over the counts of its samples.

    Pairs of sample and category whose masks are both empty have no metrics, and are counted.
    """
    present = [c for c in counts if c.tp + c.fp + c.fn]
    dice, iou = (
        float(np.mean([getattr(c, name) for c in present])) if present else float("nan")
        for name in ("dice", "iou")
    )
    return Evaluated(checkpoint, dice, iou, samples, len(counts) - len(present))


def automatic_counts(
    predictor: Predictor, image: Array, truth: Array, classes: int, config: PredictConfig
) -> list[Counts]:
    """Count the pixels of each category as predicted by a model without prompts.

    Parameters
    ----------
    predictor : Predictor
        The model.
    image : array
        uint8 of shape (Y, X, C) or (Z, Y, X, C).
    truth : array
        Label values of shape (Y, X) or (Z, Y, X).
    classes : int
        Number of foreground classes.
    config : PredictConfig
        Threshold, views and tiling.
    """
    probable = sample_probabilities(predictor, np.moveaxis(image, -1, 0), config)
    labels = to_labels(probable, predictor.info.model.head, config.threshold).cpu().numpy()
    labels = labels.reshape(truth.shape)
    return [count(labels, truth, value + 1) for value in range(classes)]


def prompted_counts(
    predictor: Predictor, image: Array, truth: Array, classes: int, config: PredictConfig
) -> list[Counts]:
    """Count the pixels of each category as predicted after one click into its centre.

    Parameters are those of `automatic_counts`.
    """
    scan = Scan(image, "ZYXC"[-image.ndim :])
    # The network sees a smaller image magnified, and the click with it.
    scale = min(1.0, max(truth.shape[-2:]) / predictor.info.image_size)
    counts = []
    for value in range(1, classes + 1):
        labels = np.zeros(truth.shape, np.uint8)
        prompts = click_maps(truth == value, scale)[:PREVIOUS]
        if prompts.any():
            sides, probable = answer(predictor, scan, prompts, window=_NORMALISED)
            labels[sides] = np.where(probable >= config.threshold, value, 0)
        counts.append(count(labels, truth, value))
    return counts
