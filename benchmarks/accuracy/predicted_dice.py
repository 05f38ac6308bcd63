"""What the predicted Dice is worth on a contrast that the bundled model has not learnt.

    python -m benchmarks.accuracy.predicted_dice DATA

DATA holds `brisc-256` and `lgg-flair`. On all slices of LGG's patients, those for tuning and those
for the test: the rank correlation of the predicted with the true Dice, and their mean difference.
Compared are the calibrated expected Dice alone; the same lowered where the network's features lie
far from those of BRISC's held-out slices (Lee et al. 2018, "A simple unified framework for
detecting out-of-distribution samples"); and its mean with the agreement of neighbouring slices,
which the package tells of masks that are not carried. The features are the means of the coarsest
level's channels, and the means at what was found; a distance above the 95th percentile on BRISC
lowers the Dice in proportion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr

from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc_and_lgg
from napari_unet_seg.config import NormaliseConfig, PredictConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.predicted_dice import slice_dice
from napari_unet_seg.inference.result import ResultBuffer
from napari_unet_seg.inference.scan_prediction import predict_scan
from napari_unet_seg.inference.slices import SliceReader
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.nn.checkpoint import load_net

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

HOW = PredictConfig(precision="float32", carry="never")
EVERY = 4
"""Of BRISC's held-out slices each so-many-th tells which features are usual."""
USUAL = 95
"""Percentile of the distances on BRISC up to which the Dice stays as it is."""
KINDS = {"of the slice": 0, "at what was found": 1}


class Judged(NamedTuple):
    """The slices of one patient."""

    true: Array
    calibrated: Array
    """The calibrated expected Dice of each slice alone."""
    told: Array
    """The predicted Dice, in which the slices beside count."""
    features: tuple[Array, Array]
    """Of the slice and at what was found, (Z, channels) each."""


class Features:
    """The bundled model's features of slices."""

    def __init__(self) -> None:
        self.info, net = load_net(BUNDLED)
        self._net: Any = net.eval()

    @torch.inference_mode()
    def of(self, slices: Array) -> tuple[Array, Array]:
        """Means over a slice, and at what was found, of uint8 slices (B, 1, Y, X)."""
        side = self.info.image_size
        small = F.interpolate(torch.from_numpy(slices) / 255, (side, side), mode="bilinear")
        coarsest, *_, finest = self._net.features(small)
        found = torch.sigmoid(self._net.last(finest)[:, :1])
        weight = F.adaptive_avg_pool2d(found, coarsest.shape[-2:])
        there = (coarsest * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)
        return coarsest.mean((2, 3)).numpy(), there.numpy()


def judged(features: Features, scan: Scan, truth: Array) -> Judged:
    """Predict a patient's scan."""
    model = LoadedModel(HOW, BUNDLED)
    reader = SliceReader(scan, model.info)
    result = ResultBuffer(HOW, model.info, reader)
    for _ in predict_scan(model, reader, result):
        pass
    calibrated = result.dice.copy()
    result.compare_neighbours()
    seen = [features.of(reader.read([z])) for z in range(reader.count)]
    both = np.concatenate([a for a, _ in seen]), np.concatenate([b for _, b in seen])
    true = slice_dice(result.labels, truth)
    return Judged(true, calibrated, result.dice, both)


def usual(features: Features, folder: Path, every: int) -> tuple[Array, Array]:
    """The features of BRISC's held-out slices."""
    samples = [s for s in brisc_samples(folder).samples if s.split == "valid"][::every]
    images = (read_sample(s, 1, NormaliseConfig())[0][..., 0] for s in samples)
    seen = [features.of(image[None, None]) for image in images]
    return np.concatenate([a for a, _ in seen]), np.concatenate([b for _, b in seen])


def lowered(calibrated: Array, features: Array, known: Array) -> Array:
    """The Dice, lowered by the distance from known features, each channel by its deviation."""
    mean, spread = known.mean(0), known.std(0) + 1e-6

    def far(values: Array) -> Array:
        return np.asarray(np.sqrt((((values - mean) / spread) ** 2).mean(1)))

    return calibrated * np.minimum(1, np.percentile(far(known), USUAL) / far(features))


def figures(slices: list[Judged], known: tuple[Array, Array]) -> dict[str, dict[str, float]]:
    """Rank correlation and mean difference of each way."""
    true, calibrated, told = (np.concatenate(part) for part in list(zip(*slices, strict=True))[:3])
    ways = {"calibrated alone": calibrated}
    for kind, number in KINDS.items():
        seen = np.concatenate([each.features[number] for each in slices])
        ways[f"lowered by the distance of features {kind}"] = lowered(
            calibrated, seen, known[number]
        )
    ways["mean with the agreement of neighbours"] = told
    return {
        way: {
            "rank correlation": round(float(spearmanr(dice, true)[0]), 3),
            "difference": round(float(np.abs(dice - true).mean()), 3),
        }
        for way, dice in ways.items()
    }


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.set_defaults(every=EVERY)
    with given_to(parser, brisc_and_lgg, every=1) as given:
        features = Features()
        known = usual(features, given.folder / "brisc-256", given.every)
        found = {}
        for half in ("tune", "test"):
            folder = given.folder / "lgg-flair" / half
            slices = [judged(features, *patient) for patient in patients(folder)]
            found[half] = figures(slices, known)
        record = {"name": "lgg-flair", "ways": found}
        write_record("predicted_dice", "lgg-flair", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
