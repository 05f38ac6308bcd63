"""An automatic model on whole scans: all parts of its masks, the large ones, these carried.

    python -m benchmarks.accuracy.volumes DATA [--model bundled]

DATA holds `lgg-flair` (FLAIR of patients with a glioma, each a stack of slices) and `nifti` (one
patient of BraTS); nothing was learnt on them. Told is the mean over the patients of the Dice of all
slices together, and how many of the slices without a lesion have a mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import SAMPLES
from benchmarks.common.records import model_name, write_record
from benchmarks.prompts.cases import SETS, Case
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    from pathlib import Path

BRATS = ("BraTS FLAIR, whole", "BraTS T1c, core")
"""The sets of slices of the patient of BraTS."""
WAYS = {
    "all parts": {"remove_small": False, "carry": "never"},
    "small parts removed": {"carry": "never"},
    "and inside the brain": {"inside_brain": True, "carry": "never"},
    "large parts carried": {},
}


def figures(model: Path, cases: list[Case], changes: dict[str, Any]) -> dict[str, Any]:
    """Measure a model on some volumes."""
    dice, empty, marked, emptied = [], 0, 0, 0
    config = PredictConfig(precision="float32", **changes)
    for image, truth in cases:
        *_, result = predict(config, model, Scan(image, "ZYX"))
        dice.append(count(result.labels > 0, truth, 1).dice)
        clean = ~truth.any((1, 2))
        empty += int(clean.sum())
        marked += int((result.labels > 0).any((1, 2))[clean].sum())
        emptied += not result.labels.any()
    return {
        "patients": len(dice),
        "dice": round(float(np.mean(dice)), 4),
        "slices without": empty,
        "marked": marked,
        "nothing found": emptied,
    }


def lgg_scans(folder: Path) -> list[Case]:
    """The scans of LGG; the slices of one are brought into one window."""
    return [Case(scan.data, truth > 0) for scan, truth in patients(folder / "lgg-flair" / "test")]


def brats_scans(folder: Path) -> dict[str, list[Case]]:
    """The scans of the patient of BraTS."""
    slices = {name: list(SETS[name](folder)) for name in BRATS}
    return {
        name: [Case(np.stack([s.image for s in own]), np.stack([s.truth for s in own]))]
        for name, own in slices.items()
    }


def scans_of(folder: Path) -> dict[str, list[Case]]:
    """Whole scans with a lesion each."""
    return {"LGG FLAIR": lgg_scans(folder)} | brats_scans(folder)


def phantom() -> dict[str, list[Case]]:
    """Some slices of the phantom of `sample_data`, for `--smoke`."""
    scan = read_scan(SAMPLES / "phantom-scan.nii.gz")
    truth = np.asarray(read_labels(SAMPLES / "phantom-scan_truth.nii.gz").data) > 0
    return {"phantom": [Case(np.asarray(scan.data)[::6], truth[::6])]}


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        sets = phantom() if given.smoke else scans_of(given.folder)
        model = checkpoint_path(given.model)
        found = {
            name: {way: figures(model, cases, changes) for way, changes in WAYS.items()}
            for name, cases in sets.items()
        }
        name = model_name(model)
        write_record("volumes", name, {"name": name, "sets": found}, keep=not given.smoke)


if __name__ == "__main__":
    main()
