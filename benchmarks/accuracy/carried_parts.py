"""Ways to carry the parts of an automatic mask through a volume.

    python -m benchmarks.accuracy.carried_parts DATA [--model any-sequence]

On the tuning patients of `lgg-flair`, on which the values of the package were decided: the mean
Dice of a whole scan without carrying, as the package carries, and with other values one at a time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import model_name, write_record
from benchmarks.common.synthetic import brisc_and_lgg
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.models import checkpoint_path
from napari_unet_seg.prompting import carried_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

WAYS: dict[str, dict[str, Any]] = {
    "as the package": {},
    "clicked on one slice": {"CLICKED": (0.5,)},
    "clicked on five slices": {"CLICKED": (0.1, 0.3, 0.5, 0.7, 0.9)},
    "all parts that are not small": {"LARGE": 0},
    "the largest part alone": {"LARGE": 1},
    "a tenth found is enough": {"FOUND": 0.1},
    "three tenths must be found": {"FOUND": 0.3},
    "half of a part is enough": {"COVERED": 0.5},
    "nine tenths of a part are needed": {"COVERED": 0.9},
}


@contextmanager
def values_of(way: dict[str, Any]) -> Iterator[None]:
    """Carry with other values."""
    before = {name: getattr(carried_parts, name) for name in way}
    for name, value in way.items():
        setattr(carried_parts, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(carried_parts, name, value)


def mean_dice(model: Path, scans: list[tuple[Scan, Array]], carry: str) -> float:
    """Mean Dice of whole scans."""
    config, found = PredictConfig(precision="float32", carry=carry), []
    for scan, truth in scans:
        *_, result = predict(config, model, scan)
        found.append(count(result.labels, truth, 1).dice)
    return round(float(np.mean(found)), 4)


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", default="any-sequence", help="name or file of a checkpoint")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(ways=list(WAYS))
    with given_to(parser, brisc_and_lgg, ways=["clicked on one slice"]) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        model = checkpoint_path(given.model)
        scans = list(patients(given.folder / "lgg-flair" / "tune"))
        dice = {"not carried": mean_dice(model, scans, "never")}
        for name in given.ways:
            with values_of(WAYS[name]):
                dice[name] = mean_dice(model, scans, "always")
        record = {"name": model_name(model), "patients": len(scans), "dice": dice}
        write_record("carried_parts", record["name"], record, keep=not given.smoke)


if __name__ == "__main__":
    main()
