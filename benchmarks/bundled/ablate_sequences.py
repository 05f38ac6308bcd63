"""What each part of the training for every sequence is worth, by short trainings without it.

    python -m benchmarks.bundled.ablate_sequences DATA [--cache CACHE] [--steps 300] [--every 4]

Each variant trains as `train_sequences` does, and is measured as `benchmarks.accuracy.sequences`
does: the mixtures from the bundled weights, the widths from random ones, on slices of half the
size. A variant takes five minutes of one core, of width 32 ten.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from benchmarks.accuracy.sequences import figures
from benchmarks.bundled.train_sequences import CONFIG, Mixture, run_training
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.prompts.cache import smoke_cache
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from napari_unet_seg.config import TrainConfig

MIXTURES = {
    "all parts": Mixture(),
    "without other contrasts": Mixture(contrasts=False),
    "without other looks of tumours": Mixture(changed=0),
    "without synthetic heads": Mixture(synthetic=0),
    "mostly synthetic heads": Mixture(synthetic=0.7),
}
WIDTHS = (16, 24, 32)
FASTER = 3
"""Peak learning rate of random weights for that of trained ones."""


class Variant(NamedTuple):
    """A short training."""

    mixture: Mixture
    config: TrainConfig
    start: Path | None


def variants(config: TrainConfig) -> dict[str, Variant]:
    """All trainings by name."""
    found = {name: Variant(mixture, config, BUNDLED) for name, mixture in MIXTURES.items()}
    fresh = config.replace(
        image_size=config.image_size // 2, learning_rate=FASTER * config.learning_rate
    )
    for width in WIDTHS:
        wide = fresh.replace(model=fresh.model.replace(width=width))
        found[f"from random weights, width {width}"] = Variant(Mixture(), wide, None)
    return found


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--cache", type=Path, default=Path("runs/prompts-cache"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(config=CONFIG)
    small = CONFIG.replace(image_size=64, batch_size=2)
    with given_to(parser, smoke_cache, steps=1, every=8, config=small) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.smoke:
            given.folder, given.cache = given.folder.parent, given.folder
            given.runs = given.scratch / "runs"
        found = {}
        for name, variant in variants(given.config).items():
            run = given.runs / name.replace(" ", "-").replace(",", "")
            mixture, config, start = variant
            run_training(given.cache, run, config, given.steps, start, mixture)
            model = run / "best.safetensors"
            found[name] = figures(model, given.folder, given.cache, given.every, not given.smoke)
        record = {"name": "ablation", "steps": given.steps, "every": given.every}
        record |= {"variants": found}
        write_record("sequences", "ablation", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
