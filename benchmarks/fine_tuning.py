"""What fine-tuning on a few slices does to the bundled model.

    python benchmarks/fine_tuning.py BRISC [--slices 50]

Some held-out slices of BRISC are learnt from, as *Fine-tune* does it, a fifth of them to choose the
epoch; a hundred others measure the model before and after. The slices are as they are, on which the
model has nothing to learn and should lose nothing; changed as in `robustness.py`, in ways that it
has seen in training; and with masks that are drawn by another habit. With and without the
statistics of batch normalisation kept as they were.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from annotation_effort import loaded
from brisc_data import brisc_samples, drawn, with_sides
from brisc_figures import figures_of, measured
from records import write_record
from robustness import CHANGES, HABITS

from napari_unet_seg.config import FINE_TUNE
from napari_unet_seg.engine import train
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import Sample, SampleSet

KINDS = {name: CHANGES[name] for name in ("as they are", "inverted", "turned by 90°")} | HABITS
MEASURED = 100
SEED = 1


def learnt(samples: SampleSet, folder: Path, *, keep: bool) -> Path:
    config = FINE_TUNE.replace(keep_statistics=keep, preview_every=0, twins=False)
    for _ in train(config, samples, folder, init=BUNDLED):
        pass
    return folder / "best.safetensors"


def dices(samples: SampleSet, new: list[Sample], others: list[Sample], kind: str) -> dict[str, Any]:
    """Dice before, and after with the statistics kept and learnt."""
    few = with_sides(samples, [loaded(s, KINDS[kind]) for s in new])
    with tempfile.TemporaryDirectory() as folder:
        models = {
            "before": BUNDLED,
            "statistics kept": learnt(few, Path(folder) / "kept", keep=True),
            "statistics learnt": learnt(few, Path(folder) / "learnt", keep=False),
        }
        return {
            name: figures_of(measured(model, others, KINDS[kind]))["dice"]
            for name, model in models.items()
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    samples = brisc_samples(given.folder, healthy=False)
    chosen = drawn(samples, given.slices + MEASURED, SEED)
    new, others = chosen[: given.slices], chosen[given.slices :]
    figures = {kind: dices(samples, new, others, kind) for kind in KINDS}
    write_record("fine_tuning", "bundled", {"slices": given.slices, "dice": figures})


if __name__ == "__main__":
    main()
