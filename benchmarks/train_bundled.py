"""Train the bundled model and measure it on the held-out fifth.

    python benchmarks/train_bundled.py train FOLDER --run runs/bundled
    python benchmarks/train_bundled.py measure FOLDER --run runs/bundled

`train` needs about an hour on two cores with native bfloat16; run again, it goes on where it was
interrupted. `measure` takes the last epoch's weights, which nothing of the held-out fifth has
chosen, and writes them (half precision) with their model card into the package.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from brisc_data import brisc_samples
from model_card import render

from napari_unet_seg.config import AugmentConfig, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.engine import train
from napari_unet_seg.events import BatchEnd, EpochEnd
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.models import BUNDLED, MODEL_CARD
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint
from napari_unet_seg.nn.metrics import Counts, count

CONFIG = TrainConfig(
    epochs=22,
    batch_size=16,
    learning_rate=2e-3,
    image_size=192,
    preview_every=0,
    augment=AugmentConfig(rotation=10, scale=True, flip=True, gamma=True),
    model=ModelConfig(width=16, depth=4),
)
NAMES = {
    "gl": "glioma",
    "me": "meningioma",
    "pi": "pituitary tumour",
    "no": "healthy",
    "ax": "axial",
    "co": "coronal",
    "sa": "sagittal",
}


def run_training(folder: Path, run: Path, epochs: int) -> None:
    last = run / "last.safetensors"
    resume = last if last.is_file() else None
    config = CONFIG.replace(epochs=epochs)
    for event in train(config, brisc_samples(folder), run, resume=resume):
        match event:
            case BatchEnd(step=step) if step % 20:
                pass
            case BatchEnd() | EpochEnd():
                sys.stdout.write(f"{event}\n")
                sys.stdout.flush()


def measure(folder: Path, run: Path, machine: str) -> None:
    info, net = load_net(run / "last.safetensors")
    save_checkpoint(BUNDLED, net, info, dtype=torch.float16)
    figures = _figures(_counts(folder))
    info = info.replace(metrics=figures["header"])
    save_checkpoint(BUNDLED, net, info, dtype=torch.float16)
    parameters = sum(p.numel() for p in net.parameters())
    MODEL_CARD.write_text(render(info, parameters, figures, machine), encoding="utf-8")
    sys.stdout.write(MODEL_CARD.read_text(encoding="utf-8"))


def _counts(folder: Path) -> dict[str, Counts]:
    """Pixels of every held-out slice at its own size, by name."""
    config = PredictConfig(precision="float32")
    predictor = load_predictor(BUNDLED, "cpu", "float32")
    counts = {}
    for sample in brisc_samples(folder).samples:
        if sample.split != "valid":
            continue
        image, truth = read_sample(sample, 1, predictor.info.normalise)
        found = predictor.probabilities(
            np.moveaxis(image, -1, 0)[None], resample=True, overlap=config.overlap
        )
        counts[sample.name] = count(found[0, 0].numpy() >= config.threshold, truth > 0, 1)
    return counts


def _figures(counts: dict[str, Counts]) -> dict[str, Any]:
    tumour = {name: c for name, c in counts.items() if "_no_" not in name}
    healthy = [c for name, c in counts.items() if "_no_" in name]
    groups = defaultdict(list)
    for name, c in tumour.items():
        for part in name.split("_")[3:5]:
            groups[NAMES[part]].append(c.dice)
    dice = np.array([c.dice for c in tumour.values()])
    iou = np.array([c.iou for c in tumour.values()])
    whole = sum(tumour.values(), Counts(0, 0, 0, 0))
    resampled = np.random.default_rng(0).choice(dice, (2000, len(dice))).mean(axis=1)
    header = {"dice": round(float(dice.mean()), 4), "iou": round(float(iou.mean()), 4)}
    return {
        "header": header,
        "slices": len(dice),
        "interval": np.percentile(resampled, (2.5, 97.5)).tolist(),
        "median": float(np.median(dice)),
        "pooled": whole.dice,
        "missed": float(np.mean(dice == 0)),
        "dice_by_group": {k: float(np.mean(v)) for k, v in sorted(groups.items())},
        "healthy": len(healthy),
        "false": sum(c.fp > 0 for c in healthy),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["train", "measure"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=Path, default=Path("runs/bundled"))
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs)
    parser.add_argument("--machine", default="two cores", help="what it was trained on")
    given = parser.parse_args()
    if given.action == "train":
        run_training(given.folder, given.run, given.epochs)
    else:
        measure(given.folder, given.run, given.machine)


if __name__ == "__main__":
    main()
