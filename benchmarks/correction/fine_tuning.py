"""What fine-tuning does to the bundled model, on a few slices and on a new contrast.

    python -m benchmarks.correction.fine_tuning DATA [--sets BRISC LGG] [--slices 50]

BRISC: some held-out slices are learnt from, as *Fine-tune* does it, a fifth of them to choose the
epoch; a hundred others measure the model before and after. The slices are as they are, on which the
model has nothing to learn and should lose nothing; changed as in `robustness/images.py`, in ways
that it has seen in training; and with masks that are drawn by another habit. LGG: FLAIR, a contrast
that the model has never seen; `finetune` learns from the patients in `lgg-flair/tune`, and those in
`lgg-flair/test` measure it, with other recipes than the rule takes by `--recipes`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
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
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import Sample, SampleSet

KINDS = {name: CHANGES[name] for name in ("as they are", "inverted", "turned by 90°")} | HABITS
RECIPES = ("auto", "gentle", "thorough")
MEASURED = 100
SEED = 1
Figures = dict[str, Any]


def learnt(samples: SampleSet, run: Path, changes: Figures) -> str:
    """Fine-tune the bundled model; return the recipe that was taken."""
    config = FINE_TUNE.replace(preview_every=0, twins=False, **changes)
    for _ in train(config, samples, run, init=BUNDLED):
        pass
    return TrainConfig.from_file(run / "config.yaml").recipe


def of_kind(
    samples: SampleSet, new: list[Sample], others: list[Sample], kind: str, changes: Figures
) -> Figures:
    """Dice before and after, and the recipe that the rule took."""
    few = with_sides(samples, [loaded(s, KINDS[kind]) for s in new])

    def dice(model: Path) -> float:
        found: float = brisc_figures(measured(model, others, KINDS[kind]))["dice"]
        return found

    with tempfile.TemporaryDirectory() as folder:
        recipe = learnt(few, Path(folder) / "run", changes)
        after = dice(Path(folder) / "run" / "best.safetensors")
    return {"before": dice(BUNDLED), "after": after, "recipe": recipe}


def on_brisc(given: Any) -> Figures:
    samples = brisc_samples(given.folder / "brisc-256", healthy=False)
    chosen = drawn(samples, given.slices + given.measured, SEED)
    new, others = chosen[: given.slices], chosen[given.slices :]
    kinds = list(KINDS)[: given.kinds]
    rows = {kind: of_kind(samples, new, others, kind, given.changes) for kind in kinds}
    return {"slices": given.slices, "dice": rows}


def finetuned(tune: Path, run: Path, settings: list[str]) -> Figures:
    """Fine-tune by the program, as a user does; return the seconds of all cores.

    A run that is there is not repeated.
    """
    if (run / "best.safetensors").is_file():
        return {}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-m", "napari_unet_seg.cli", "finetune", "bundled", "--yes"]
    options = [f"--set={setting}" for setting in settings]
    subprocess.run([*program, "--data", str(tune), "--out", str(run), *options], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_seconds": round(seconds)}


def on_lgg(given: Any) -> Figures:
    folder, runs = given.folder / "lgg-flair", given.runs or given.scratch
    changes = [f"{name}={value}" for name, value in given.changes.items()]
    changes += [f"threads={given.threads}"]
    record: Figures = {"before": figures_of(BUNDLED, folder / "test")}
    for recipe in given.recipes:
        run = runs / f"lgg-{recipe}"
        done = finetuned(folder / "tune", run, [*changes, f"recipe={recipe}"])
        taken = TrainConfig.from_file(run / "config.yaml").recipe
        record |= {"chosen": taken} if recipe == "auto" else {}
        record[taken] = done | figures_of(run / "best.safetensors", folder / "test")
    return record


SETS = {"BRISC": on_brisc, "LGG": on_lgg}
NAMES = {"BRISC": "bundled", "LGG": "lgg-flair"}


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--recipes", nargs="*", default=["auto"], choices=RECIPES, help="for LGG")
    parser.add_argument("--runs", type=Path, help="where the runs on LGG are kept")
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(changes={}, measured=MEASURED, kinds=len(KINDS))
    smallest = {"slices": 3, "measured": 2, "changes": SMALL_RUN, "kinds": 1, "threads": 1}
    with given_to(parser, brisc_and_lgg, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        for name in given.sets:
            write_record("fine_tuning", NAMES[name], SETS[name](given), keep=not given.smoke)


if __name__ == "__main__":
    main()
