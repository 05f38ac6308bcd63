"""What fine-tuning does to the prompt network on a sequence that it has never seen.

    python -m benchmarks.correction.prompt_tuning DATA [--seeds 0 1 2] [--runs RUNS]

`napari-unet-seg finetune prompts`, with its defaults, learns from the FLAIR slices of the patients
in `lgg-flair/tune`, of whom it holds some out; a robot's clicks and a box on slices of those in
`lgg-flair/test` measure it before and after, see `prompts/measure.py`. Each seed draws another
split and order of the training.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import SMALL_RUN, brisc_and_lgg
from benchmarks.correction.fine_tuning import finetuned
from benchmarks.prompts.cases import drawn
from benchmarks.prompts.measure import figures_of
from napari_unet_seg.config import TrainConfig
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.models import PROMPT_NETWORK

if TYPE_CHECKING:
    from benchmarks.prompts.cases import Case

COUNT = 120
"""Slices with a lesion that measure the network."""
Figures = dict[str, Any]


def measured(model: Path, cases: list[Case]) -> Figures:
    """Mean Dice after clicks and after a box."""
    return figures_of(load_predictor(model, "auto", "auto"), cases)


def after(seed: int, cases: list[Case], given: Any) -> Figures:
    """Fine-tune, and measure the model that results."""
    run = (given.runs or given.scratch) / f"prompts-{seed}"
    changes = given.changes | {"threads": given.threads, "seed": seed}
    settings = [f"{name}={value}" for name, value in changes.items()]
    seconds = finetuned("prompts", given.folder / "lgg-flair" / "tune", run, settings)
    recipe = TrainConfig.from_file(run / "config.yaml").recipe
    row = {"seed": seed, "recipe": recipe, "cpu_seconds": seconds}
    return row | measured(run / "best.safetensors", cases)


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, help="where the runs are kept")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(changes={})
    smallest = {"seeds": [0], "count": 2, "threads": 1, "changes": SMALL_RUN}
    with given_to(parser, brisc_and_lgg, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        cases = drawn("LGG FLAIR", given.folder, given.count)
        record = {
            "before": measured(PROMPT_NETWORK, cases),
            "after": [after(seed, cases, given) for seed in given.seeds],
        }
        write_record("prompt_tuning", "lgg-flair", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
