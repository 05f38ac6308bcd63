"""The published protocol on TumorSeg: train the variants and measure them.

    python -m benchmarks.accuracy.tumorseg TUMORSEG --runs runs/tumorseg [--only base optimised]
    python -m benchmarks.page.results TUMORSEG BRISC

It goes on where it was interrupted and keeps each run's figures in `results/tumorseg`. Nets are
`--width` wide at the first level instead of the published 64 where no GPU is at hand; the learning
rate grows as the width shrinks (Yang et al. 2022, arXiv:2203.03466, for Adam).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import record_path, write_record
from benchmarks.common.synthetic import SMALL_RUN, tumorseg
from benchmarks.common.tumorseg_data import tumorseg_samples
from napari_unet_seg.config import PRESETS, AugmentConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.engine import train
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.evaluation.surface import hd95
from napari_unet_seg.events import BatchEnd, EpochEnd, TrainStarted
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.io.common.window import scan_window, to_uint8

PUBLISHED_WIDTH = 64
HEADLINE = ("base", "optimised", "best")
SEEDS = 3
BATCH = 16
SIZE = (224, 224)
"""Of the images and masks that the published metric is computed on, whatever size a net takes."""


def variants(width: int) -> dict[str, TrainConfig]:
    """Settings by name; every one but the last keeps to the published protocol."""
    rate = 1e-4 * PUBLISHED_WIDTH / width
    base, optimised = (
        PRESETS[name].replace(learning_rate=rate, model=PRESETS[name].model.replace(width=width))
        for name in ("base", "optimised")
    )

    def variant(**changes: Any) -> TrainConfig:
        return optimised.replace(model=optimised.model.replace(**changes))

    plain = {"dilation": 1, "normalised_up": False}
    return {
        "base": base,
        "optimised": optimised,
        "leaky ReLU": variant(activation="leaky_relu"),
        "transposed": variant(upsampling="transposed"),
        "dropout": variant(dropout=0.2),
        "dilated down-sampling": variant(downsampling="dilated"),
        "residual": variant(residual=True),
        "attention": variant(attention=True),
        "deep supervision": variant(deep_supervision=True),
        "group norm": variant(norm="group"),
        "V-Net": variant(architecture="vnet", activation="prelu", **plain),
        "classic 2015": base.replace(
            model=base.model.replace(padded=False, norm="none", upsampling="transposed")
        ),
        "best": TrainConfig(
            epochs=40,
            batch_size=16,
            learning_rate=2e-3,
            image_size=128,
            ema=0.99,
            augment=AugmentConfig(scale=True, flip=True, gamma=True, bias_field=True),
            model=optimised.model.replace(
                width=2 * width, activation="leaky_relu", residual=True, deep_supervision=True
            ),
        ),
    }


def run_training(
    folder: Path, runs: Path, width: int, only: list[str], machine: str, *, smoke: bool
) -> None:
    samples = tumorseg_samples(folder)
    order = [(name, seed) for seed in range(SEEDS) for name in HEADLINE]
    order[3:3] = [(name, 0) for name in variants(width) if name not in HEADLINE]
    for name, seed in order:
        run = runs / f"{name.replace(' ', '-')}-{width}-{seed}"
        done = record_path("tumorseg", run.name).is_file() and not smoke
        if (only and name not in only) or done:
            continue
        config = variants(width)[name].replace(seed=seed, preview_every=0)
        config = config.replace(**SMALL_RUN) if smoke else config
        device = _train(config, samples, run)
        result = {"name": name, "seed": seed, "width": config.model.width, "device": device}
        result |= {"machine": machine}
        result |= _measure(run, samples) | _effort(run)
        write_record("tumorseg", run.name, result, keep=not smoke)
        if smoke:
            return


def _train(config: TrainConfig, samples: Any, run: Path) -> str:
    device = ""
    last = run / "last.safetensors"
    for event in train(config, samples, run, resume=last if last.is_file() else None):
        match event:
            case TrainStarted():
                device = event.device
                _say(f"{run.name}: {event}")
            case BatchEnd(step=step) if step % 20 == 0:
                _say(f"{run.name}: epoch {event.epoch} {step} {event.samples_per_second:.1f}/s")
            case EpochEnd():
                _say(f"{run.name}: {event}")
    return device


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _effort(run: Path) -> dict[str, float]:
    with (run / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # the median, since other work can come between
    seconds = float(np.median([float(row["seconds"]) for row in rows]))
    return {"epochs": len(rows), "seconds": seconds * len(rows)}


def _measure(run: Path, samples: Any) -> dict[str, float]:
    """The published metric and ours, of the best epoch, on the valid part."""
    predictor = load_predictor(run / "best.safetensors", "auto", "float32")
    info, valid = predictor.info, [s for s in samples.samples if s.split == "valid"]
    soft, ours = [], []
    for start in range(0, len(valid), BATCH):
        batch = valid[start : start + BATCH]
        soft.append((published_dice(*_small(batch, predictor)), len(batch)))
    for sample in valid:
        image, truth = read_sample(sample, 1, info.normalise)
        found, _ = predictor.probabilities(np.moveaxis(image, -1, 0)[None], PredictConfig())
        mask = found[0, 0].cpu().numpy() >= 0.5
        counts = count(mask, truth > 0, 1)
        ours.append((counts.dice, counts.iou, hd95(mask, truth > 0, (1.0, 1.0))))
    dice, iou, distance = np.array(ours).T
    values, sizes = np.array(soft).T
    return {
        "published": float(np.average(values, weights=sizes)),
        "dice": float(dice.mean()),
        "median": float(np.median(dice)),
        "iou": float(iou.mean()),
        "hd95": float(np.nanmean(distance)),
        "missed": float(np.mean(dice == 0)),
    }


def _small(batch: list[Any], predictor: Any) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and masks as the published run had them: resized alike, so soft at edges."""
    images, masks = [], []
    for sample in batch:
        with Image.open(sample.image) as file:
            grey = np.asarray(file.convert("L").resize(SIZE, Image.Resampling.BILINEAR))
        window = scan_window(grey[..., None], predictor.info.normalise, channels=True)
        images.append(to_uint8(grey, window)[None])
        masks.append(small_mask(sample.mask))
    probable, _ = predictor.probabilities(np.stack(images), PredictConfig())
    return probable[:, 0].cpu().numpy(), np.stack(masks)


def small_mask(mask: np.ndarray) -> np.ndarray:
    """A mask in 0…1, resized as an image is."""
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(whole.resize(SIZE, Image.Resampling.BILINEAR)) / 255


def published_dice(probable: np.ndarray, truth: np.ndarray) -> float:
    """Soft Dice over a whole batch, flattened."""
    return float(2 * (probable * truth).sum() / (probable.sum() + truth.sum()))


def main() -> None:
    parser = parser_of(__doc__, "TUMORSEG")
    parser.add_argument("--runs", type=Path, default=Path("runs/tumorseg"))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--machine", default="two cores with native bfloat16")
    with given_to(parser, tumorseg, width=4, only=["base"]) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        runs = given.scratch if given.smoke else given.runs
        run_training(given.folder, runs, given.width, given.only, given.machine, smoke=given.smoke)


if __name__ == "__main__":
    main()
