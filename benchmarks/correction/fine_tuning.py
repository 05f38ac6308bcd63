"""What fine-tuning on a few slices does to the bundled model.

    python -m benchmarks.correction.fine_tuning BRISC [--slices 50]

Some held-out slices of BRISC are learnt from, as *Fine-tune* does it, a fifth of them to choose the
epoch; a hundred others measure the model before and after. The slices are as they are, on which the
model has nothing to learn and should lose nothing; changed as in `robustness/images.py`, in ways
that it has seen in training; and with masks that are drawn by another habit. With and without the
statistics of batch normalisation kept as they were.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.common.brisc_data import brisc_samples, drawn, with_sides
from benchmarks.common.brisc_figures import figures_of, measured
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import SMALL_RUN, brisc
from benchmarks.correction.annotation_effort import loaded
from benchmarks.robustness.images import CHANGES, HABITS
from napari_unet_seg.config import FINE_TUNE
from napari_unet_seg.engine import train
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import Sample, SampleSet

KINDS = {name: CHANGES[name] for name in ("as they are", "inverted", "turned by 90°")} | HABITS
MEASURED = 100
SEED = 1


def learnt(samples: SampleSet, folder: Path, changes: dict[str, Any], *, keep: bool) -> Path:
    config = FINE_TUNE.replace(keep_statistics=keep, preview_every=0, twins=False, **changes)
    for _ in train(config, samples, folder, init=BUNDLED):
        pass
    return folder / "best.safetensors"


def dices(
    samples: SampleSet,
    new: list[Sample],
    others: list[Sample],
    kind: str,
    changes: dict[str, Any],
) -> dict[str, Any]:
    """Dice before, and after with the statistics kept and learnt."""
    few = with_sides(samples, [loaded(s, KINDS[kind]) for s in new])
    with tempfile.TemporaryDirectory() as folder:
        models = {
            "before": BUNDLED,
            "statistics kept": learnt(few, Path(folder) / "kept", changes, keep=True),
            "statistics learnt": learnt(few, Path(folder) / "learnt", changes, keep=False),
        }
        return {
            name: figures_of(measured(model, others, KINDS[kind]))["dice"]
            for name, model in models.items()
        }


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(changes={}, measured=MEASURED, kinds=len(KINDS))
    with given_to(parser, brisc, slices=3, measured=2, changes=SMALL_RUN, kinds=1) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        samples = brisc_samples(given.folder, healthy=False)
        chosen = drawn(samples, given.slices + given.measured, SEED)
        new, others = chosen[: given.slices], chosen[given.slices :]
        figures = {
            kind: dices(samples, new, others, kind, given.changes)
            for kind in list(KINDS)[: given.kinds]
        }
        record = {"slices": given.slices, "dice": figures}
        write_record("fine_tuning", "bundled", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
