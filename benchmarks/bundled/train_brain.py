"""Train the model that finds the brain, on synthetic heads of any contrast.

    python -m benchmarks.prompts.cache DATA CACHE
    python -m benchmarks.bundled.train_brain train CACHE --run runs/brain
    python -m benchmarks.bundled.train_brain measure CACHE --run runs/brain

The brain is all that lies within the skull: tissue, lesions, ventricles and the fluid around it,
as far as it is seen. With the fluid a lesion of the meninges is inside, and the outline is smooth.
`train` takes half an hour of one core; run again, it goes on where it was interrupted.
`measure` writes the weights in half precision, with their card, into the package; then follow
`store_answers`, `benchmarks.accuracy.volumes`, which measures what *Inside brain* is worth, the
sheets of `benchmarks.sheets.brain`, and `write_cards`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from benchmarks.bundled.brain_card import render
from benchmarks.bundled.drawn_training import DrawnTraining
from benchmarks.common.long_training import given_to_training
from benchmarks.common.options import parser_of
from benchmarks.common.records import write_record
from benchmarks.prompts.cache import smoke_cache
from benchmarks.prompts.head_labels import CODES
from benchmarks.prompts.lesions import LESION
from napari_unet_seg.config import AugmentConfig, Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.prompts.marks import smooth_noise
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BRAIN
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from napari_unet_seg.arrays import Array

FOUND = Category(id=1, name="brain", supercategory="anatomy")
CONFIG = TrainConfig(
    batch_size=8,
    learning_rate=2e-3,
    warm_up=0.05,
    ema=0.995,
    image_size=160,
    precision="bfloat16",
    augment=AugmentConfig(
        rotation=20,
        scale=True,
        scaling=0.25,
        elastic=True,
        flip=True,
        turn=True,
        gamma=True,
        bias_field=True,
        noise=True,
        blur=True,
        invert=True,
    ),
    model=ModelConfig(width=8, depth=4),
)
SMALLEST = 50
"""Pixels of brain on a slice, below which it counts as one without."""
_SEEN = 3
"""Grey of 255 above which fluid is seen: in a stripped head what is taken away is black."""


def brain(image: Array, labels: Array) -> Array:
    """Pixels within the skull, as far as they are seen, and sinuses among them."""
    codes = CODES[np.minimum(labels, len(CODES) - 1)]
    tissue = ((codes > 0) & (codes < 200) & (codes != 24)) | (labels >= LESION)
    seen = ndimage.binary_closing(image > _SEEN, iterations=2)
    return np.asarray(ndimage.binary_fill_holes(tissue | ((codes == 24) & seen)))


def textured(image: Array, mask: Array, rng: np.random.Generator) -> Array:
    """An uneven head around the brain, mostly: in label maps face and neck are large even parts."""
    if rng.random() < 0.3:
        return image
    rough = rng.uniform(0, 0.4) * smooth_noise(image.shape, rng.uniform(0.7, 3), rng)
    rough = rough + rng.uniform(0, 0.7) * smooth_noise(image.shape, rng.uniform(3, 12), rng)
    return np.where(mask, image, np.clip(image * (1 + rough), 0, 255)).astype(np.uint8)


def framed(image: Array, mask: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A square around the head, close or wide, of two slices in three."""
    places = np.argwhere(image > 20)
    if len(places) < 100 or rng.random() < 1 / 3:
        return image, mask
    low, high = places.min(0), places.max(0) + 1
    side = int(max(high - low) * rng.uniform(0.65, 1.2))
    corner = ((low + high) / 2 - side / 2 + rng.normal(0, 0.05 * side, 2)).astype(int)
    more = np.maximum(0, [-corner.min(), (corner + side - image.shape).max()]).max()
    window = tuple(slice(c + more, c + more + side) for c in corner)
    return np.pad(image, more)[window], np.pad(mask, more)[window]


class Heads:
    """Random slices of the drawn heads of a cache."""

    def __init__(self, cache: Path) -> None:
        files = sorted((cache / "heads").glob("[0-9]*.npy"))
        self._drawn = [np.load(file, mmap_mode="r") for file in files]

    def batch(
        self, config: TrainConfig, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, 1, Y, X) in 0…1 and masks (B, Y, X), uint8."""
        pairs = [self._slice(config.image_size, rng) for _ in range(config.batch_size)]
        images, masks = (torch.cat(part) for part in zip(*pairs, strict=True))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return augment(images, masks[:, 0], config.augment, generator)

    def _slice(self, size: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        rendition = self._drawn[rng.integers(len(self._drawn))]
        image, labels, _ = rendition[rng.integers(len(rendition))]
        mask = brain(image, labels)
        image, mask = framed(textured(image, mask, rng), mask, rng)
        both = torch.from_numpy(np.stack([image / 255, mask]).astype(np.float32))[None]
        small = F.interpolate(both, (size, size), mode="bilinear", antialias=True)
        return small[:, :1], (small[:, 1:] > 0.5).byte()


def measured(model: Path, cache: Path) -> dict[str, Any]:
    """Dice on the slices of heads that were never drawn from, with the skull and without."""
    dice: dict[str, list[float]] = {"with the skull": [], "without": []}
    config, empty, false = PredictConfig(precision="float32"), 0, 0
    by_head = []
    for path in sorted((cache / "held_out").glob("[0-9]*.npy")):
        head = Counts(0, 0, 0, 0)
        for image, labels, _ in np.load(path, mmap_mode="r"):
            truth = brain(image, labels)
            *_, result = predict(config, model, Scan(np.array(image), "YX"))
            found = result.labels > 0
            head += count(found, truth, 1)
            if np.count_nonzero(truth) < SMALLEST:
                empty += 1
                false += np.count_nonzero(found) >= SMALLEST
                continue
            outside = image[CODES[np.minimum(labels, len(CODES) - 1)] > 200]
            kind = "without" if outside.size == 0 or outside.mean() < _SEEN else "with the skull"
            dice[kind].append(count(found, truth, 1).dice)
        by_head.append(head.dice)
    both = np.concatenate(list(dice.values()))
    return {
        "slices": len(both),
        "dice": round(float(both.mean()), 4),
        "heads": round(float(np.mean(by_head)), 4),
        "median": round(float(np.median(both)), 4),
        "worst tenth": round(float(np.percentile(both, 10)), 4),
        "groups": {kind: round(float(np.mean(d)), 4) for kind, d in dice.items() if d},
        "empty": empty,
        "false": int(false),
    }


def put(run: Path, cache: Path, model: Path, card: Path) -> dict[str, Any]:
    """Write a run's averaged weights in half precision, and their card."""
    info, net = load_net(run / "best.safetensors")
    save_checkpoint(model, net, info, dtype=torch.float16)
    figures = measured(model, cache)
    summary = {**info.summary, "valid": figures["slices"]}
    info = info.replace(metrics={"dice": figures["dice"]}, summary=summary)
    save_checkpoint(model, net, info, dtype=torch.float16)
    parameters = sum(p.numel() for p in net.parameters())
    card.write_text(render(info, parameters, figures), encoding="utf-8")
    return {"name": "brain", "steps": info.epoch} | figures


def run_training(given: argparse.Namespace) -> None:
    config = CONFIG.replace(**given.changes)
    source = "synthetic heads drawn from label maps (SynthSeg, Billot et al., Apache-2.0)"
    heads = Heads(given.folder)
    training = DrawnTraining(given.run, config, FOUND, source, given.steps)
    training.learn(lambda rng: heads.batch(config, rng))


def main() -> None:
    parser = parser_of(__doc__, "CACHE", ["train", "measure"])
    parser.set_defaults(changes={})
    smallest = {"image_size": 64, "batch_size": 2}
    with given_to_training(parser, smoke_cache, "runs/brain", 3000, changes=smallest) as given:
        if given.action == "train" or given.smoke:
            run_training(given)
        if given.action == "measure":
            target = given.scratch / "brain.safetensors" if given.smoke else BRAIN
            figures = put(given.run, given.folder, target, target.with_suffix(".md"))
            write_record("brain", "brain", figures, keep=not given.smoke)


if __name__ == "__main__":
    main()
