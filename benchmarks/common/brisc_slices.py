"""Held-out slices of BRISC with what the bundled model says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.robustness.images import CHANGES, HABITS
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.common.brisc_figures import Change
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample

KINDS = CHANGES | HABITS


class Slice(NamedTuple):
    """A slice, its truth as bool, and what the model says of it."""

    name: str
    image: Array
    truth: Array
    probable: Array
    expected: float


def loaded(sample: Sample, change: Change) -> Sample:
    """Read a slice and its mask, and change them."""
    with Image.open(sample.image) as image, Image.open(sample.mask) as mask:
        pixels, truth = np.asarray(image.convert("L")), np.asarray(mask.convert("1"))
    pixels, truth = change(pixels, truth.astype(np.uint8))
    return replace(sample, image=pixels, mask=truth)


def predicted(sample: Sample, model: Path) -> Slice:
    """Segment a slice."""
    how = PredictConfig(probabilities=True, precision="float32")
    *_, result = predict(how, model, Scan(sample.image, "YX"))
    probable = np.asarray(result.probabilities[0], np.float32)
    return Slice(sample.name, sample.image, sample.mask > 0, probable, float(result.dice))
