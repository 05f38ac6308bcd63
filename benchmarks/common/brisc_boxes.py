"""The tumours of BRISC with the boxes around them and the bundled model's probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.common.brisc_data import brisc_samples
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array


class Tumour(NamedTuple):
    """One slice with a tumour."""

    image: Array
    truth: Array
    probability: Array
    box: tuple[int, int, int, int]


def tumours(folder: Path, split: str, threads: int = 0) -> Iterator[Tumour]:
    """All slices of a side of the split that have a tumour."""
    config = PredictConfig(probabilities=True, threads=threads)
    for sample in brisc_samples(folder).samples:
        if sample.split != split or not isinstance(sample.mask, Path):
            continue
        image, truth = (np.asarray(Image.open(f).convert("L")) for f in (sample.image, sample.mask))
        *_, result = predict(config, BUNDLED, Scan(image, "YX"))
        probability = np.asarray(result.probabilities, np.float32).reshape(image.shape)
        yield Tumour(image, truth > 0, probability, box_of(truth > 0))


def box_of(mask: Array) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of a mask that is not empty, half open."""
    y, x = np.nonzero(mask)
    return int(y.min()), int(x.min()), int(y.max()) + 1, int(x.max()) + 1


def iou(mask: Array, truth: Array) -> float:
    """Intersection over union of bool masks, one of them not empty."""
    return float((mask & truth).sum() / (mask | truth).sum())


def careless(tumour: Tumour, rng: np.random.Generator) -> Tumour:
    """The same with a box whose sides are moved at random by a twentieth of its size."""
    top, left, bottom, right = tumour.box
    sides = np.array([bottom - top, right - left] * 2)
    moved = np.round(tumour.box + rng.normal(0, 0.05, 4) * sides).astype(int)
    start = np.maximum(moved[:2], 0).tolist()
    stop = np.minimum(moved[2:], tumour.image.shape).tolist()
    large = min(b - a for a, b in zip(start, stop, strict=True)) >= 3
    return tumour._replace(box=(*start, *stop)) if large else tumour
