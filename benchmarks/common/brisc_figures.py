"""Figures of a model on BRISC slices, measured as a user predicts: a scan in, a mask out."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.stats import pearsonr, spearmanr

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.inference.predicted_dice import Calibration, calibrate
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Views
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.models.header import CheckpointInfo

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
AS_EXPECTED = Calibration(((0.0, 0.0), (1.0, 1.0)))
"""Calibration that predicts the expected Dice itself."""


class Measured(NamedTuple):
    """One slice: its pixels counted, and the Dice that the predictor expected of its mask."""

    counts: Counts
    expected: float

    @property
    def dice(self) -> float:
        """Measured Dice; 1 where truth and mask are empty."""
        c = self.counts
        return c.dice if c.tp + c.fp + c.fn else 1.0


def measured(
    checkpoint: Path,
    samples: Iterable[Sample],
    change: Change | None = None,
    views: Views = "plain",
) -> dict[str, Measured]:
    """Every slice at its own size, by name; `change` alters image and truth before."""
    how = PredictConfig(precision="float32", device="auto", views=views)
    found = {}
    for sample in samples:
        image, truth = read_slice(sample)
        if change is not None:
            image, truth = change(image, truth)
        *_, result = predict(how, checkpoint, Scan(np.ascontiguousarray(image), "YX"))
        found[sample.name] = Measured(count(result.labels, truth, 1), float(result.dice))
    return found


def read_slice(sample: Sample) -> tuple[Array, Array]:
    """Image and truth (Y, X) of a slice."""
    with Image.open(sample.image) as file:
        image = np.asarray(file.convert("L"))
    if isinstance(sample.mask, np.ndarray):
        return image, sample.mask
    with Image.open(sample.mask) as file:
        return image, np.asarray(file.convert("1")).astype(np.uint8)


def calibrated(info: CheckpointInfo, calibration: Calibration) -> CheckpointInfo:
    """Change what a checkpoint's predicted Dice is calibrated to."""
    return info.replace(calibration=calibration.knots, calibration_prior=calibration.prior)


def expecting(checkpoint: Path, folder: Path) -> Path:
    """Copy a checkpoint into a folder, with the calibration `AS_EXPECTED`."""
    info, net = load_net(checkpoint)
    copy = folder / checkpoint.name
    save_checkpoint(copy, net, calibrated(info, AS_EXPECTED))
    return copy


def scores_of(checkpoint: Path, samples: Sequence[Sample]) -> tuple[Calibration, dict[str, Any]]:
    """All figures of a record, of a checkpoint with the calibration `AS_EXPECTED`."""
    slices = measured(checkpoint, samples)
    mirrored = figures_of(measured(checkpoint, samples, views="mirrored"))
    calibration, agreement = calibration_of(slices)
    figures = figures_of(slices) | {"predicted": agreement}
    figures["mirrored"] = {name: mirrored[name] for name in ("dice", "missed", "false")}
    return calibration, figures


def figures_of(slices: dict[str, Measured]) -> dict[str, Any]:
    """Mean figures over the slices with a tumour, by kind and plane, and false positives.

    NaN where there are no such slices.
    """
    tumour = {name: m.counts for name, m in slices.items() if "_no_" not in name}
    healthy = [m.counts for name, m in slices.items() if "_no_" in name]
    groups = defaultdict(list)
    for name, c in tumour.items():
        for part in name.split("_")[3:5]:
            groups[NAMES[part]].append(c.dice)
    dice = np.array([c.dice for c in tumour.values()])
    iou = np.array([c.iou for c in tumour.values()])
    return {
        "slices": len(dice),
        "dice": _mean(dice),
        "dice_interval": _interval(dice),
        "median": _round(np.median(dice) if dice.size else math.nan),
        "iou": _mean(iou),
        "iou_interval": _interval(iou),
        "pooled": _round(sum(tumour.values(), Counts(0, 0, 0, 0)).dice),
        "missed": _mean(dice == 0),
        "groups": {name: _round(np.mean(group)) for name, group in sorted(groups.items())},
        "healthy": len(healthy),
        "false": sum(c.fp > 0 for c in healthy),
    }


def calibration_of(slices: dict[str, Measured]) -> tuple[Calibration, dict[str, float]]:
    """Calibrate the predicted Dice, and tell how it goes with the measured one.

    Expected figures must come from a checkpoint with the calibration `AS_EXPECTED`. The
    correlations are of each half of the slices, calibrated on the other half. The names of the
    slices tell no patients, so that each counts as one.
    """
    expected = np.array([m.expected for m in slices.values()])
    true = np.array([m.dice for m in slices.values()])
    predicted = np.empty_like(true)
    halves = np.random.default_rng(0).permutation(len(true)) % 2 == 0
    for half in (halves, ~halves):
        of_half = calibrate(expected[~half], true[~half], range(int((~half).sum())))
        knots = of_half.knots or AS_EXPECTED.knots  # of too few slices to calibrate on
        predicted[half] = np.interp(expected[half], *np.array(knots).T)
    return calibrate(expected.tolist(), true.tolist(), range(len(true))), {
        "pearson": _round(pearsonr(predicted, true)[0]),
        "spearman": _round(spearmanr(predicted, true)[0]),
        "mean_error": _round(np.abs(predicted - true).mean()),
    }


def _mean(values: Array) -> float:
    return _round(values.mean() if values.size else math.nan)


def _interval(values: Array) -> list[float]:
    """95 % by bootstrap over slices; NaN without slices."""
    if not values.size:
        return [math.nan, math.nan]
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLINGS, len(values))).mean(axis=1)
    return [_round(v) for v in np.percentile(drawn, (2.5, 97.5))]


def _round(value: float) -> float:
    return round(float(value), 4)
