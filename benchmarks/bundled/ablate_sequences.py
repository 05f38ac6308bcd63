"""What each part of the training for every sequence is worth, by short trainings without it.

    python -m benchmarks.bundled.ablate_sequences DATA [--cache CACHE] [--steps 300] [--every 4]

Each variant trains from the bundled weights as `train_sequences` does, and is measured as
`benchmarks.accuracy.sequences` does. A variant takes five minutes of one core.
"""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.accuracy.sequences import figures
from benchmarks.bundled.train_sequences import CONFIG, Mixture, run_training
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.prompts.cache import smoke_cache
from napari_unet_seg.models import BUNDLED

VARIANTS = {
    "all parts": Mixture(),
    "without other contrasts": Mixture(contrasts=False),
    "without other looks of tumours": Mixture(changed=0),
    "without synthetic heads": Mixture(synthetic=0),
    "mostly synthetic heads": Mixture(synthetic=0.7),
}


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
        for name, mixture in VARIANTS.items():
            run = given.runs / name.replace(" ", "-")
            run_training(given.cache, run, given.config, given.steps, BUNDLED, mixture)
            model = run / "best.safetensors"
            found[name] = figures(model, given.folder, given.cache, given.every, not given.smoke)
        record = {"name": "ablation", "steps": given.steps, "variants": found}
        write_record("sequences", "ablation", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
