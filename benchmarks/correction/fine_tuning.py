"""What fine-tuning does to a model, on a few slices and on a new contrast.

    python -m benchmarks.correction.fine_tuning DATA [--sets BRISC LGG] [--recipes auto gentle]
    python -m benchmarks.correction.fine_tuning DATA --sets LGG --base any-sequence

BRISC, from the bundled model: some held-out slices are learnt from, as *Fine-tune* does it, a fifth
of them to choose the epoch; a hundred others measure the model before and after. The slices are as
they are, on which the model has nothing to learn and should lose nothing; changed as in
`robustness/images.py`, in ways that it has seen in training; and with masks that are drawn by
another habit. LGG: FLAIR, a contrast that the model has never seen; `finetune` learns from the
patients in `lgg-flair/tune`, and those in `lgg-flair/test` measure it. Each seed draws other slices
of BRISC, and another split and order of the training. The recipe auto is that of the rule; a recipe
that it has taken is not repeated.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.common.brisc_data import brisc_samples, drawn, with_sides
from benchmarks.common.brisc_figures import figures_of as brisc_figures
from benchmarks.common.brisc_figures import measured
from benchmarks.common.brisc_slices import loaded
from benchmarks.common.lgg_data import figures_of
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import SMALL_RUN, brisc_and_lgg
from benchmarks.robustness.images import CHANGES, HABITS
from napari_unet_seg.config import FINE_TUNE, TrainConfig
from napari_unet_seg.engine import train
from napari_unet_seg.models import BUNDLED, checkpoint_path

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import SampleSet

KINDS = {name: CHANGES[name] for name in ("as they are", "inverted", "turned by 90°")} | HABITS
RECIPES = ("auto", "gentle", "thorough")
MEASURED = 100
Figures = dict[str, Any]


def learnt(samples: SampleSet, run: Path, changes: Figures) -> tuple[str, float]:
    """Fine-tune the bundled model; return the recipe taken and the seconds of all cores."""
    config = FINE_TUNE.replace(preview_every=0, twins=False, **changes)
    before = time.process_time()
    for _ in train(config, samples, run, init=BUNDLED):
        pass
    return TrainConfig.from_file(run / "config.yaml").recipe, time.process_time() - before


def of_kind(samples: SampleSet, kind: str, seed: int, given: Any) -> Figures:
    """Dice before and after each recipe, and the recipe that the rule took."""
    chosen = drawn(samples, given.slices + given.measured, seed)
    new = with_sides(samples, [loaded(s, KINDS[kind]) for s in chosen[: given.slices]])

    def dice(model: Path) -> float:
        others = measured(model, chosen[given.slices :], KINDS[kind])
        return float(brisc_figures(others)["dice"])

    row: Figures = {"seed": seed, "before": dice(BUNDLED)}
    for recipe in given.recipes:
        if recipe in row:
            continue
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            taken, seconds = learnt(new, run, given.changes | {"recipe": recipe, "seed": seed})
            row[taken] = {"dice": dice(run / "best.safetensors"), "cpu_seconds": round(seconds)}
        row |= {"chosen": taken} if recipe == "auto" else {}
    print(kind, row, file=sys.stderr, flush=True)
    return row


def on_brisc(given: Any) -> Figures:
    samples = brisc_samples(given.folder / "brisc-256", healthy=False)
    return {
        "slices": given.slices,
        "dice": {
            k: [of_kind(samples, k, seed, given) for seed in given.seeds] for k in given.kinds
        },
    }


def finetuned(base: str, tune: Path, run: Path, settings: list[str]) -> int:
    """Fine-tune by the program, as a user does; return the seconds of all cores.

    A run that is there is not repeated.
    """
    kept = run / "cpu_seconds"
    if kept.is_file():
        return int(kept.read_text(encoding="utf-8"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-m", "napari_unet_seg.cli", "finetune", base, "--yes"]
    options = [f"--set={setting}" for setting in settings]
    subprocess.run([*program, "--data", str(tune), "--out", str(run), *options], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    kept.write_text(str(seconds), encoding="utf-8")
    return seconds


def on_lgg(given: Any) -> Figures:
    folder, runs = given.folder / "lgg-flair", given.runs or given.scratch
    before = figures_of(checkpoint_path(given.base), folder / "test")
    record: Figures = {"base": given.base, "before": before, "chosen": []}
    for seed, recipe in product(given.seeds, given.recipes):
        if any(row["seed"] == seed for row in record.get(recipe, ())):
            continue  # the rule has taken it
        run = runs / f"{given.base}-{recipe}-{seed}"
        changes = given.changes | {"threads": given.threads, "recipe": recipe, "seed": seed}
        settings = [f"{name}={value}" for name, value in changes.items()]
        seconds = {
            "seed": seed,
            "cpu_seconds": finetuned(given.base, folder / "tune", run, settings),
        }
        taken = TrainConfig.from_file(run / "config.yaml").recipe
        if recipe == "auto" and taken not in record["chosen"]:
            record["chosen"].append(taken)
        record.setdefault(taken, []).append(
            seconds | figures_of(run / "best.safetensors", folder / "test")
        )
    return record


SETS = {"BRISC": on_brisc, "LGG": on_lgg}


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--recipes", nargs="*", default=["auto"], choices=RECIPES)
    parser.add_argument("--base", default="bundled", help="model to start from, on LGG")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, help="where the runs on LGG are kept")
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(changes={}, measured=MEASURED)
    smallest = {"slices": 3, "measured": 2, "changes": SMALL_RUN, "threads": 1}
    smallest |= {"seeds": [0], "kinds": ["as they are"]}
    with given_to(parser, brisc_and_lgg, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        for name in given.sets:
            record = "bundled" if name == "BRISC" else f"lgg-flair-from-{given.base}"
            write_record("fine_tuning", record, SETS[name](given), keep=not given.smoke)


if __name__ == "__main__":
    main()
