"""What it costs to carry the parts of an automatic mask, as a share of the prediction.

    python -m benchmarks.speed.carried_parts [--rounds 5]

The bundled model on the sample volume, and on the same head as 155 slices of 240×240: with
*Carry* and without it in turns, the models loaded already; medians.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch
from skimage.transform import resize

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import SAMPLES
from benchmarks.common.records import write_record
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED

LARGE = (155, 240, 240)


def seconds(scan: Scan, carry: str) -> tuple[float, int]:
    """Time of a prediction, and how many parts it carried."""
    start = time.perf_counter()
    *_, result = predict(PredictConfig(carry=carry), BUNDLED, scan)
    return time.perf_counter() - start, result.carried


def compared(scan: Scan, rounds: int) -> dict[str, Any]:
    """Medians of both, in turns; the first round is not counted."""
    times: dict[str, list[float]] = {"never": [], "auto": []}
    parts = 0
    for _ in range(rounds + 1):
        for carry, own in times.items():
            taken, parts = seconds(scan, carry)
            own.append(taken)
    without, with_it = (median(own[1:]) for own in times.values())
    return {
        "slices": len(scan.data),
        "parts": parts,
        "seconds": [round(without, 2), round(with_it, 2)],
        "times": round(with_it / without, 2),
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.set_defaults(large=LARGE)
    with given_to(parser, rounds=1, large=(8, 64, 64)) as given:
        sample = read_scan(SAMPLES / "phantom-scan.nii.gz")
        voxels = np.asarray(sample.data, np.float32)
        large = Scan(resize(voxels, given.large, preserve_range=True).astype(np.float32), "ZYX")
        record = {
            "threads": torch.get_num_threads(),
            "volumes": [compared(scan, given.rounds) for scan in (sample, large)],
        }
        write_record("carry_cost", "bundled", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
