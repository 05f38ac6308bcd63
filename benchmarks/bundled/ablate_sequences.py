"""What each part of the training for every sequence is worth, by short trainings without it.

    python -m benchmarks.bundled.ablate_sequences DATA [--cache CACHE] [--steps 300] [--seeds 0 1 2]

Each variant trains as `train_sequences` does, from the bundled weights, and is measured as
`benchmarks.accuracy.sequences` does; wider networks begin as the same function. The mixtures are
trained with each seed, and their means are told; the widths with the first one. A training takes
five minutes of one core, of width 32 seventeen. Run again, it goes on where it was interrupted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from benchmarks.accuracy.sequences import figures
from benchmarks.bundled.train_sequences import CONFIG, Mixture, run_training
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.wider import widened
from benchmarks.prompts.cache import smoke_cache
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    import argparse

    from napari_unet_seg.config import TrainConfig

MIXTURES = {
    "all parts": Mixture(),
    "without other contrasts": Mixture(contrasts=False),
    "without other looks of tumours": Mixture(changed=0),
    "without synthetic heads": Mixture(synthetic=0),
    "mostly synthetic heads": Mixture(synthetic=0.7),
}
WIDTHS = (24, 32)


class Variant(NamedTuple):
    """A short training."""

    name: str
    mixture: Mixture
    width: int
    seed: int


def variants(width: int, seeds: list[int]) -> list[Variant]:
    """All trainings, those that tell most first."""
    mixtures = [Variant(n, m, width, seed) for seed in seeds for n, m in MIXTURES.items()]
    return mixtures + [Variant(f"width {w}", Mixture(), w, seeds[0]) for w in WIDTHS]


def measured(variant: Variant, config: TrainConfig, given: argparse.Namespace) -> dict[str, Any]:
    """Train a variant and measure it; what was measured before is kept."""
    run = given.runs / f"{variant.name}-{variant.seed}-{given.steps}-{given.every}".replace(
        " ", "-"
    )
    kept = run / "figures.json"
    if not kept.is_file():
        start = BUNDLED
        if variant.width != config.model.width:
            start = widened(BUNDLED, variant.width, run / "start.safetensors")
        config = config.replace(seed=variant.seed, model=config.model.replace(width=variant.width))
        run_training(given.cache, run, config, given.steps, start, variant.mixture)
        best = run / "best.safetensors"
        found = figures(best, given.folder, given.cache, given.every, not given.smoke)
        kept.write_text(json.dumps(found), encoding="utf-8")
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def mean(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean Dice of several trainings, and all that they marked together."""
    counts = ("false", "healthy", "healthy heads", "heads with many lesions")
    of = {key: np.array([each[key] for each in found]) for key in found[0]}
    return {
        key: values.sum(0).tolist() if key in counts else round(float(values.mean()), 4)
        for key, values in of.items()
    }


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--cache", type=Path, default=Path("runs/prompts-cache"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(config=CONFIG)
    small = CONFIG.replace(image_size=64, batch_size=2)
    with given_to(parser, smoke_cache, steps=1, every=8, seeds=[0], config=small) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.smoke:
            given.folder, given.cache = given.folder.parent, given.folder
            given.runs = given.scratch / "runs"
        found: dict[str, list[dict[str, Any]]] = {}
        for variant in variants(given.config.model.width, given.seeds):
            found.setdefault(variant.name, []).append(measured(variant, given.config, given))
        record = {"name": "ablation", "steps": given.steps, "every": given.every}
        record |= {"seeds": given.seeds, "variants": {k: mean(v) for k, v in found.items()}}
        write_record("sequences", "ablation", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
