"""Pixel masks: train on BRISC, and measure on slices that were held out.

    python -m benchmarks.accuracy.brisc train BRISC --name best [--runs runs/brisc]
    python -m benchmarks.accuracy.brisc train BRISC --name "best, twins ignored"
    python -m benchmarks.accuracy.brisc measure BRISC --model any-sequence

A fixed fifth is held out with all twins of a slice on one side; `best` goes on from the bundled
model, which was trained on the same side (from its third run, when the recorded figures were
taken), without the turned, inverted and stripped slices that made that one robust. `twins ignored`
draws slices at random instead, as published figures did, which leaves near-copies of training
slices among the held-out ones, and starts from nothing.
`train` goes on where it was interrupted, then measures the last epoch's weights; `measure` does so
alone, and with `--model` of a model of the package or any checkpoint. `train_bundled.py` and
`bundle_sequences.py` measure what they write in the same way.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.brisc_data import FIFTH, SEED, brisc_samples
from benchmarks.common.brisc_figures import expecting, scores_of
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import model_name, write_record
from benchmarks.common.synthetic import SMALL_RUN, brisc
from napari_unet_seg.config import AugmentConfig, ModelConfig, TrainConfig
from napari_unet_seg.engine import train
from napari_unet_seg.events import EpochEnd, TrainStarted
from napari_unet_seg.models import BUNDLED, checkpoint_path
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import SampleSet

_BEST = TrainConfig(
    epochs=12,
    batch_size=16,
    learning_rate=1e-3,
    image_size=192,
    ema=0.998,
    twins=False,  # the split is given
    preview_every=0,
    augment=AugmentConfig(
        rotation=15, scale=True, elastic=True, flip=True, gamma=True, bias_field=True
    ),
    model=ModelConfig(width=16),
)
_PLAIN = _BEST.replace(epochs=8, ema=0.0, augment=AugmentConfig(), model=ModelConfig(width=16))
SETTINGS = {
    "plain": _PLAIN,
    "plain, twins ignored": _PLAIN,
    "best": _BEST,
    "best, twins ignored": _BEST.replace(epochs=24, learning_rate=2e-3),
}
STARTS = {"best": BUNDLED}


def split_of(folder: Path, name: str) -> SampleSet:
    samples = brisc_samples(folder)
    if not name.endswith("twins ignored"):
        return samples
    held_out = np.random.default_rng(SEED).random(len(samples.samples)) < FIFTH
    return replace(
        samples,
        samples=tuple(
            replace(s, split="valid" if out else "train")
            for s, out in zip(samples.samples, held_out, strict=True)
        ),
    )


def run_training(folder: Path, name: str, runs: Path, changes: dict[str, Any]) -> Path:
    run = runs / name.replace(" ", "-").replace(",", "")
    last = run / "last.safetensors"
    config = SETTINGS[name].replace(**changes)
    resume = last if last.is_file() else None
    init = None if resume else STARTS.get(name)
    for event in train(config, split_of(folder, name), run, init=init, resume=resume):
        if isinstance(event, TrainStarted | EpochEnd):
            sys.stdout.write(f"{event}\n")
            sys.stdout.flush()
    return last


def measure(folder: Path, name: str, checkpoint: Path, scratch: Path) -> dict[str, Any]:
    """Figures of a checkpoint on the held-out slices of a split, as of the bundled model."""
    held_out = [s for s in split_of(folder, name).samples if s.split == "valid"]
    _, figures = scores_of(expecting(checkpoint, scratch), held_out)
    return figures


def described(name: str, checkpoint: Path, machine: str) -> dict[str, Any]:
    """What a record tells of a checkpoint, and of its training if it is a run's."""
    info = read_header(checkpoint)
    network = {"name": name, "width": info.model.width, "image_size": info.image_size}
    if name not in SETTINGS:
        return network
    return network | {"residual": info.model.residual, "epochs": info.epoch, "machine": machine}


def main() -> None:
    parser = parser_of(__doc__, "BRISC", ["train", "measure"])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--name", choices=SETTINGS)
    which.add_argument("--model", help="name or file of a checkpoint to measure")
    parser.add_argument("--runs", type=Path, default=Path("runs/brisc"))
    parser.add_argument("--epochs", type=int, default=0, help="fewer than the settings' own")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--machine", default="two cores with native bfloat16")
    parser.set_defaults(changes={})
    with given_to(parser, brisc, changes=SMALL_RUN) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.model and (given.action == "train" or checkpoint_path(given.model) == BUNDLED):
            parser.error("--model is only measured; the bundled one by bundled.train_bundled")
        if given.model:
            checkpoint = checkpoint_path(given.model)
        else:
            runs = given.scratch if given.smoke else given.runs
            checkpoint = runs / given.name.replace(" ", "-").replace(",", "") / "last.safetensors"
            if given.action == "train":
                changes = ({"epochs": given.epochs} if given.epochs else {}) | given.changes
                checkpoint = run_training(given.folder, given.name, runs, changes)
        name = given.name or model_name(checkpoint)
        figures = measure(given.folder, name, checkpoint, given.scratch)
        record = described(name, checkpoint, given.machine) | figures
        write_record("brisc", name, record, keep=not given.smoke)


if __name__ == "__main__":
    main()
