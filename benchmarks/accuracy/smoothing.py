"""Whether probabilities that are smoothed from slice to slice find more in a volume.

    python -m benchmarks.accuracy.smoothing DATA [--model bundled]

DATA holds `lgg-flair` (FLAIR of 24 patients with a glioma, in two halves) and `nifti` (one patient
of BraTS); nothing was learnt on them. The model's probabilities are taken as they are or smoothed
along the slice axis, and become a mask at 0.5; small parts are left out as in the window, or kept.
Told is the mean Dice of a patient's slices together. At the ends of a head, where least of it is on
a slice, tissue is taken for a tumour most easily: of each scan's slices with a head, the tenth on
which it is smallest are its ends, and those of them without a lesion that have a mask are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage

from benchmarks.accuracy.volumes import brats_scans, phantom
from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import model_name, write_record
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.inference.removal.small_parts import remove_small_parts
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from benchmarks.prompts.cases import Case
    from napari_unet_seg.arrays import Array

    Patient = tuple[Scan, Array]

HOW = PredictConfig(probabilities=True, precision="float32", carry="never")
ENDS = 0.1
"""Share of the slices with a head, by the size of the head, that are its ends."""
_HEAD = 0.1
"""Grey of a head's pixels, as a share of the 99th percentile of the scan."""
WEIGHTS = (0.25, 0.5, 0.25)


def gaussian(sigma: float) -> Callable[[Array], Array]:
    """Smooth by a Gaussian of so many slices."""
    return lambda p: ndimage.gaussian_filter1d(p, sigma, axis=0, mode="nearest")


WAYS: dict[str, Callable[[Array], Array]] = {
    "as they are": lambda p: p,
    "Gaussian of 0.5 slices": gaussian(0.5),
    "Gaussian of 1 slice": gaussian(1),
    "Gaussian of 1.5 slices": gaussian(1.5),
    "neighbours by a quarter": lambda p: ndimage.convolve1d(p, WEIGHTS, axis=0, mode="nearest"),
}
LIMITS = {"small parts removed": True, "all parts": False}


def ends(grey: Array) -> Array:
    """Which slices of a volume (Z, Y, X) are the ends of its head."""
    least = grey.min() + _HEAD * (np.percentile(grey, 99) - grey.min())
    sizes = np.array([np.count_nonzero(plane > least) for plane in grey])
    return (sizes > 0) & (sizes <= np.quantile(sizes[sizes > 0], ENDS))


def mask_of(probable: Array, remove: bool) -> Array:
    """The mask of a volume's probabilities, with the default size limit or without."""
    mask = (probable >= HOW.threshold).astype(np.uint8)
    if remove:
        remove_small_parts(mask, (), HOW.small)
    return mask


def figures(model: Path, scans: Iterable[Patient]) -> dict[str, Any]:
    """Dice, and empty ends that are marked, of each way to smooth and each limit."""
    dice: dict[tuple[str, str], list[float]] = {}
    marked: dict[tuple[str, str], int] = {}
    clean = 0
    for scan, truth in scans:
        *_, result = predict(HOW, model, scan)
        probable = np.asarray(result.probabilities[0], np.float32)
        empty = ends(np.asarray(scan.data)) & ~truth.any((1, 2))
        clean += int(empty.sum())
        for way, smoothed in WAYS.items():
            for limit, remove in LIMITS.items():
                mask = mask_of(smoothed(probable), remove)
                dice.setdefault((way, limit), []).append(count(mask, truth, 1).dice)
                there = int(mask.any((1, 2))[empty].sum())
                marked[way, limit] = marked.get((way, limit), 0) + there
    return {
        "patients": len(next(iter(dice.values()))),
        "empty ends": clean,
        "ways": {
            way: {
                limit: {
                    "dice": round(float(np.mean(dice[way, limit])), 4),
                    "patients": [round(float(d), 3) for d in dice[way, limit]],
                    "marked": marked[way, limit],
                }
                for limit in LIMITS
            }
            for way in WAYS
        },
    }


def scans_of(folder: Path) -> Iterator[tuple[str, list[Patient]]]:
    """Volumes with their truth, by data set."""
    for side in ("tune", "test"):
        yield f"LGG FLAIR, {side}", list(patients(folder / "lgg-flair" / side))
    yield from as_scans(brats_scans(folder))


def as_scans(sets: dict[str, list[Case]]) -> Iterator[tuple[str, list[Patient]]]:
    """Make scans of grey values."""
    for name, cases in sets.items():
        yield name, [(Scan(case.image, "ZYX"), case.truth) for case in cases]


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", default="bundled", help="name or file of a checkpoint")
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        model = checkpoint_path(given.model)
        sets = as_scans(phantom()) if given.smoke else scans_of(given.folder)
        found = {name: figures(model, scans) for name, scans in sets}
        name = model_name(model)
        write_record("smoothing", name, {"name": name, "sets": found}, keep=not given.smoke)


if __name__ == "__main__":
    main()
