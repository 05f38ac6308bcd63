"""Patients of `lgg-flair`: FLAIR slices of low-grade gliomas, a folder a patient.

They may teach and measure, but no model trained on them ships (CC BY-NC-SA 4.0). The data are no
part of the repository: the folder holds `tune` and `test`, each with its patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.inference.predicted_dice import slice_dice
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Array = np.ndarray[Any, np.dtype[Any]]


def patients(folder: Path) -> Iterator[tuple[Scan, Array]]:
    """Every patient's slices as a volume, with the true labels."""
    for patient in sorted(path for path in folder.iterdir() if path.is_dir()):
        masks = sorted(patient.glob("*_mask.png"))
        images = [mask.with_name(mask.name.replace("_mask", "")) for mask in masks]
        grey = np.stack([_grey(path) for path in images])
        yield Scan(grey, "ZYX"), np.stack([_grey(path) > 0 for path in masks]).astype(np.uint8)


def _grey(path: Path) -> Array:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def figures_of(model: Path, folder: Path) -> dict[str, Any]:
    """Dice by patient, and how the predicted Dice of all slices goes with the measured one.

    The masks of lesions are carried; `found` is the Dice of those that the network itself found.
    """
    how = PredictConfig(precision="float32", device="auto")
    by_patient, found, predicted, true = [], [], [], []
    for scan, truth in patients(folder):
        *_, result = predict(how.replace(carry="never"), model, scan)
        found.append(count(result.labels, truth, 1).dice)
        *_, result = predict(how.replace(carry="always"), model, scan)
        by_patient.append(count(result.labels, truth, 1).dice)
        predicted.append(result.dice)
        true.append(slice_dice(result.labels, truth))
    guess, measured = np.concatenate(predicted), np.concatenate(true)
    known = np.isfinite(guess)
    return {
        "found": round(float(np.mean(found)), 4),
        "dice": round(float(np.mean(by_patient)), 4),
        "patients": [round(float(dice), 3) for dice in by_patient],
        "predicted": {
            "slices": len(guess),
            "known": int(known.sum()),
            "spearman": round(float(spearmanr(guess[known], measured[known])[0]), 3),
            "mean_error": round(float(np.abs(guess - measured)[known].mean()), 3),
        },
    }
