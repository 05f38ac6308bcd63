"""How many uses of a tool an annotator needs whose model learns from what is done.

    python -m benchmarks.correction.learning BRISC [--slices 100] [--change inverted]

The slices are gone through worst first by predicted Dice, and brought to a Dice of 0.95 with the
tools of the window; see `annotation_effort.py`. After every tenth the model is fine-tuned on those
that are done, as the window does, and the rest is predicted and sorted again, unless that made it
worse on the held-out fifth of them. The same is done without learning. `--change` makes slices that
the model knows less well, or masks that are drawn by another habit, by one of the changes of
`robustness/images.py`.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.brisc_data import brisc_samples, drawn, with_sides
from benchmarks.common.brisc_slices import KINDS, loaded, predicted
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import found
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc
from benchmarks.correction.annotator import SEED, effort
from benchmarks.correction.pointing import by_tools
from napari_unet_seg.config import FINE_TUNE
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.training.fine_tune import fine_tune

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.common.brisc_slices import Slice
    from napari_unet_seg.data.samples import Sample, SampleSet

SLICES = 100
EVERY = 10
"""Slices after which the model learns."""
EPOCHS = 5


def uses(here: Slice) -> int:
    """Uses of a tool that bring the model's mask to the Dice that is wanted."""
    choices = by_tools(partial(found, here.image), here.truth, here.probable)
    return len(effort(here.probable >= 0.5, here.truth, choices).used)


def curve(
    samples: SampleSet, chosen: Sequence[Sample], learn: bool, every: int = EVERY
) -> list[float]:
    """Mean strokes of every ten slices, worst first."""
    model, left = BUNDLED, [predicted(sample, BUNDLED) for sample in chosen]
    by_name = {sample.name: sample for sample in chosen}
    done: list[Sample] = []
    means: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        while left:
            left.sort(key=lambda here: here.expected)
            now, left = left[:every], left[every:]
            used = [uses(here) for here in now]
            means.append(round(float(np.mean(used)), 3))
            _say(f"{'learning' if learn else 'as it is'}: {means[-1]}")
            done += [by_name[here.name] for here in now]
            if learn and left:
                model = _learn(samples, done, Path(folder) / str(len(done))) or model
                left = [predicted(by_name[here.name], model) for here in left]
    return means


def _learn(samples: SampleSet, done: Sequence[Sample], run: Path) -> Path | None:
    """Fine-tune the bundled model on what is done, a fifth of it held out, as a round does.

    Returns
    -------
    Path or None
        The new model; None if it is worse on what was held out.
    """
    few = with_sides(samples, done)
    config = FINE_TUNE.replace(epochs=EPOCHS, preview_every=0, twins=False)
    *_, last = fine_tune(config, BUNDLED, few, run, _in_process)
    before, after = last.new.before, last.new.after
    _say(f"held out: {before:.3f} → {after:.3f}")
    return last.finished.best if after >= before else None


def _in_process(name: str, *arguments: Any, **options: Any) -> Any:
    module, function = name.split(":")
    return getattr(import_module(module), function)(*arguments, **options)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--slices", type=int, default=SLICES)
    parser.add_argument("--change", choices=KINDS, default="as they are")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(every=EVERY)
    with given_to(parser, brisc, slices=3, every=2) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        samples = brisc_samples(given.folder, healthy=False)
        held_out = sorted(drawn(samples, given.slices, SEED), key=lambda s: s.name)
        chosen = [loaded(s, KINDS[given.change]) for s in held_out]
        curves = {
            name: curve(samples, chosen, learn, given.every)
            for name, learn in (("learning", True), ("as it is", False))
        }
        record = {"slices": len(chosen), "change": given.change, "curves": curves}
        write_record("learning", given.change, record, keep=not given.smoke)


if __name__ == "__main__":
    main()
