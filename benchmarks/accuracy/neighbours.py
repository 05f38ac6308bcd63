"""Whether a network finds more on a slice if it sees the slices before and after it ("2.5D").

    python -m benchmarks.accuracy.neighbours DATA [--steps 300] [--seeds 0 1 2]

DATA holds `lgg-flair`: FLAIR stacks of 24 patients with a glioma; `tune` is learnt, `test` is
measured. What the bundled model learns from are single slices, so that no network of this script
ships. Both networks take three channels, start from the bundled weights (the further channels at
zero) and see the same slices in the same order: one sees each slice with its neighbours, the other
sees it three times. The Dice is the mean over the patients, of all slices of a patient together. A
network takes five minutes of one core.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.bundled.drawn_training import DrawnTraining
from benchmarks.bundled.train_bundled import CONFIG as BUNDLED_CONFIG
from benchmarks.common.brisc_data import TUMOUR
from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc_and_lgg
from napari_unet_seg.config import NormaliseConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights, save_checkpoint, with_prompts

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

CONFIG = BUNDLED_CONFIG.replace(
    batch_size=12,
    learning_rate=3e-4,
    warm_up=0.02,
    ema=0.99,
    precision="bfloat16",
    model=BUNDLED_CONFIG.model.replace(in_channels=3),
)
HOW = PredictConfig(precision="float32")
WAYS = {"slices alone": False, "with the slices before and after": True}


def stacked(scan: Array, neighbours: bool) -> Array:
    """Slices (Z, Y, X) as colour (Z, Y, X, 3): each, before, after, or three times the same."""
    if not neighbours:
        return np.repeat(scan[..., None], 3, -1)
    before, after = np.vstack([scan[:1], scan[:-1]]), np.vstack([scan[1:], scan[-1:]])
    return np.stack([scan, before, after], -1)


class Stacks:
    """Random slices of patients with their masks."""

    def __init__(self, folder: Path, neighbours: bool) -> None:
        pairs = [(stacked(scan.data, neighbours), truth) for scan, truth in patients(folder)]
        grey = [to_uint8(c, scan_window(c, NormaliseConfig(), channels=True)) for c, _ in pairs]
        self._images, self._truths = np.concatenate(grey), np.concatenate([t for _, t in pairs])

    def batch(
        self, config: TrainConfig, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, 3, Y, X) in 0…1 and masks (B, Y, X), uint8."""
        chosen = rng.integers(len(self._images), size=config.batch_size)
        images = torch.from_numpy(self._images[chosen]).permute(0, 3, 1, 2).float() / 255
        masks = torch.from_numpy(self._truths[chosen])
        size = (config.image_size, config.image_size)
        resize = torch.nn.functional.interpolate
        small = resize(images, size, mode="bilinear", antialias=True)
        truths = resize(masks[:, None].float(), size, mode="bilinear", antialias=True)[:, 0] > 0.5
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return augment(small, truths.byte(), config.augment, generator)


def widened(path: Path, config: TrainConfig) -> Path:
    """Write the bundled weights for three channels; nothing is made of the further two."""
    net = build_net(config.model)
    info, tensors = load_tensors(BUNDLED)
    load_weights(net, with_prompts(net, tensors), BUNDLED)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, net, info.replace(model=config.model))
    return path


def trained(folder: Path, run: Path, config: TrainConfig, steps: int, neighbours: bool) -> Path:
    """Train a network, and return its checkpoint."""
    start = widened(run / "start.safetensors", config)
    training = DrawnTraining(run, config, TUMOUR[0], "lgg-flair/tune", steps, start)
    slices = Stacks(folder / "tune", neighbours)
    training.learn(lambda rng: slices.batch(config, rng))
    return run / "best.safetensors"


def dice_of(model: Path, folder: Path, neighbours: bool) -> list[float]:
    """Dice of every patient's slices together."""
    scores = []
    for scan, truth in patients(folder / "test"):
        found = []
        for colour in stacked(scan.data, neighbours):
            *_, result = predict(HOW, model, Scan(colour, "YXC"))
            found.append(result.labels > 0)
        scores.append(round(float(count(np.stack(found), truth, 1).dice), 4))
    return scores


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--runs", type=Path, default=Path("runs/neighbours"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(config=CONFIG)
    small = CONFIG.replace(image_size=64, batch_size=2)
    with given_to(parser, brisc_and_lgg, steps=1, seeds=[0], config=small) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        folder = given.folder / "lgg-flair"
        runs = given.scratch / "runs" if given.smoke else given.runs
        found: dict[str, list[float]] = {}
        for seed in given.seeds:
            config = given.config.replace(seed=seed)
            for name, neighbours in WAYS.items():
                run = runs / f"{name.replace(' ', '-')}-{seed}"
                model = trained(folder, run, config, given.steps, neighbours)
                dice = float(np.nanmean(dice_of(model, folder, neighbours)))
                found.setdefault(name, []).append(round(dice, 4))
        record = {"steps": given.steps, "seeds": given.seeds, "dice": found}
        write_record("neighbours", "lgg-flair", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
