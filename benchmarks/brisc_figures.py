"""Figures of a model on BRISC slices, measured as a user predicts: a scan in, a mask out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.scan import Scan
from napari_unet_seg.nn.metrics import Counts, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from napari_unet_seg.data.samples import Sample

    Array = np.ndarray[Any, np.dtype[Any]]
    Change = Callable[[Array, Array], tuple[Array, Array]]

NAMES = {
    "gl": "glioma",
    "me": "meningioma",
    "pi": "pituitary tumour",
    "no": "healthy",
    "ax": "axial",
    "co": "coronal",
    "sa": "sagittal",
}
_RESAMPLINGS = 2000


def counts_of(
    checkpoint: Path, samples: Iterable[Sample], change: Change | None = None
) -> dict[str, Counts]:
    """Pixels of every slice at its own size, by name; `change` alters image and truth before."""
    how = PredictConfig(precision="float32", device="auto")
    counts = {}
    for sample in samples:
        image, truth = _read(sample)
        if change is not None:
            image, truth = change(image, truth)
        *_, result = predict(how, checkpoint, Scan(np.ascontiguousarray(image), "YX"))
        counts[sample.name] = count(result.labels, truth, 1)
    return counts


def _read(sample: Sample) -> tuple[Array, Array]:
    with Image.open(sample.image) as file:
        image = np.asarray(file.convert("L"))
    if isinstance(sample.mask, np.ndarray):
        return image, sample.mask
    with Image.open(sample.mask) as file:
        return image, np.asarray(file.convert("1")).astype(np.uint8)


def figures_of(counts: dict[str, Counts]) -> dict[str, Any]:
    """Mean figures over the slices with a tumour, by kind and plane, and false positives."""
    tumour = {name: c for name, c in counts.items() if "_no_" not in name}
    healthy = [c for name, c in counts.items() if "_no_" in name]
    groups = defaultdict(list)
    for name, c in tumour.items():
        for part in name.split("_")[3:5]:
            groups[NAMES[part]].append(c.dice)
    dice = np.array([c.dice for c in tumour.values()])
    iou = np.array([c.iou for c in tumour.values()])
    return {
        "slices": len(dice),
        "dice": _round(dice.mean()),
        "dice_interval": _interval(dice),
        "median": _round(np.median(dice)),
        "iou": _round(iou.mean()),
        "iou_interval": _interval(iou),
        "pooled": _round(sum(tumour.values(), Counts(0, 0, 0, 0)).dice),
        "missed": _round(np.mean(dice == 0)),
        "groups": {name: _round(np.mean(group)) for name, group in sorted(groups.items())},
        "healthy": len(healthy),
        "false": sum(c.fp > 0 for c in healthy),
    }


def _interval(values: Array) -> list[float]:
    """95 % by bootstrap over slices."""
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLINGS, len(values))).mean(axis=1)
    return [_round(v) for v in np.percentile(drawn, (2.5, 97.5))]


def _round(value: float) -> float:
    return round(float(value), 4)
