"""How a network bears a missing sequence, trained with and without sequences left out at random.

    python -m benchmarks.accuracy.missing_sequences

On drawn heads with a lesion that each of three sequences shows in its own way, beside bright spots
that are in one sequence alone: what is no lesion is seen by comparing. The Dice of both networks is
measured on the same heads with all sequences, and with each of them missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from napari_unet_seg.config import AugmentConfig, Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.engine import evaluate_samples, train
from napari_unet_seg.events import Evaluated, TrainFinished

if TYPE_CHECKING:
    from pathlib import Path

SEQUENCES = ("T1c", "T2", "FLAIR")
PROBABILITIES = (0.0, 0.35)
SIZE = 64
SEEDS = 2


def head(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a slice, uint8 of shape (Y, X, 3), and the mask of its lesion."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    inside = np.hypot(y / rng.uniform(0.38, 0.45), x / rng.uniform(0.33, 0.4)) < 1
    tissue = gaussian_filter(rng.normal(0, 1, inside.shape), 3) * 60
    images = [inside * (level + sign * tissue) for level, sign in ((90, 1), (110, -1), (80, -1))]

    def distance() -> np.ndarray:
        middle = rng.uniform(-0.2, 0.2, 2)
        return np.hypot(y - middle[0], x - middle[1])

    for image in images:  # vessels in one sequence, fluid and artefacts in the others
        for _ in range(2):
            image[distance() < rng.uniform(0.05, 0.09)] += 70
    from_middle, radius = distance(), rng.uniform(0.07, 0.13)
    lesion = from_middle < radius
    images[0] += 80 * (lesion & (from_middle > 0.6 * radius))  # a ring around a dark core
    images[1] += 45 * lesion
    images[2] += 70 * lesion
    noisy = np.stack([image + rng.normal(0, 6, image.shape) for image in images], -1)
    return noisy.clip(1, 255).astype(np.uint8) * inside[..., None], lesion.astype(np.uint8)


def heads(count: int, seed: int, split: Any) -> tuple[Sample, ...]:
    """Draw slices, each of a patient of its own."""
    rng = np.random.default_rng(seed)
    names = (f"{split}{number}" for number in range(count))
    return tuple(Sample(name, *head(rng), name, split) for name in names)


def without(samples: tuple[Sample, ...], missing: int | None) -> tuple[Sample, ...]:
    """Return samples without one of their sequences, as prediction fills it."""
    kept = np.arange(len(SEQUENCES)) != (-1 if missing is None else missing)
    return tuple(replace(s, image=np.asarray(s.image) * kept.astype(np.uint8)) for s in samples)


def trained(probability: float, seed: int, count: int, epochs: int, run: Path) -> Path:
    """Train a network on drawn heads, and return its best checkpoint."""
    config = TrainConfig(
        epochs=epochs,
        image_size=SIZE,
        learning_rate=3e-3,
        precision="float32",
        preview_every=0,
        twins=False,
        seed=seed,
        augment=AugmentConfig(leave_out=probability, flip=True),
        model=ModelConfig(width=8, depth=3),
    )
    samples = (*heads(count, 2 * seed, "train"), *heads(count // 4, 2 * seed + 1, "valid"))
    data = SampleSet(samples, (Category(id=1, name="lesion"),), "heads", sequences=SEQUENCES)
    *_, last = train(config, data, run)
    assert isinstance(last, TrainFinished)
    return last.best


def dice(checkpoint: Path, samples: tuple[Sample, ...]) -> float:
    """Return the mean Dice of a checkpoint on samples."""
    data = SampleSet(samples, (Category(id=1, name="lesion"),), "heads")
    *_, last = evaluate_samples(checkpoint, data, PredictConfig(precision="float32"))
    assert isinstance(last, Evaluated)
    return last.dice


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--train", type=int, default=200, help="heads to train on")
    parser.add_argument("--test", type=int, default=100, help="heads to measure on")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    with given_to(parser, train=8, test=4, epochs=1, seeds=1) as given:
        test = heads(given.test, 1000, "test")
        figures: dict[str, Any] = {"train": given.train, "test": given.test}
        figures |= {"epochs": given.epochs, "seeds": given.seeds}
        for probability in PROBABILITIES:
            found = []
            for seed in range(given.seeds):
                run = given.scratch / f"{probability}-{seed}"
                model = trained(probability, seed, given.train, given.epochs, run)
                found.append([dice(model, without(test, n)) for n in (None, *range(3))])
            names = ("all", *(f"without {name}" for name in SEQUENCES))
            means = np.mean(found, 0).round(3).tolist()
            figures[f"left out with {probability}"] = dict(zip(names, means, strict=True))
        write_record("missing_sequences", "heads", figures, keep=not given.smoke)


if __name__ == "__main__":
    main()
