"""How many strokes an annotator needs, from nothing, from the prediction, and with the tools.

    python -m benchmarks.correction.annotation_effort BRISC [--slices 200]
    python -m benchmarks.correction.annotation_effort BRISC --learn [--change inverted]

On slices with a tumour of the held-out fifth of BRISC, no twin of which the bundled model has been
trained on, drawn by a seed. `strokes.py` has the annotator. Each slice is brought to a Dice of 0.95

1. from nothing, by brush;
2. from the bundled model's mask, by brush;
3. from that mask, with the tools of the window too. Each use costs as much as a stroke: a box
   around the lesion, its sides off by about a pixel; a line along the true border, where that
   mends most; a scribble, which is a short stroke of a thin brush where most is wrong; the
   threshold, moved to the best of nine places; one click to grow or shrink by a pixel, to smooth,
   to fill holes, or to keep the largest part. The annotator always takes what brings the Dice up
   most for its cost.

With `--learn` the slices are gone through worst first by predicted Dice, with the tools; after
every tenth the model is fine-tuned on those that are done, as the window does, and the rest is
predicted and sorted again, unless that made it worse on the held-out fifth of them. The same is
done without learning. `--change` makes slices that the model knows less well, or masks that are
drawn by another habit, by one of the changes of `robustness/images.py`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.common.brisc_data import brisc_samples, drawn, with_sides
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import marked, outlined
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc
from benchmarks.correction.strokes import (
    FIRST,
    GOOD,
    STEP,
    Stroke,
    dice,
    lines,
    painted,
    scribble,
    strokes,
    trembling,
)
from benchmarks.robustness.images import CHANGES, HABITS
from napari_unet_seg.config import FINE_TUNE, PredictConfig
from napari_unet_seg.correct import shapes
from napari_unet_seg.correct.border import redraw_border
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.training.fine_tune import fine_tune

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.common.brisc_figures import Change
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample, SampleSet

SEED = 0
MOST = 60
"""Steps after which a slice is given up."""
JITTER = 1.0
"""Standard deviation of the sides of a box, in pixels."""
LEVELS = np.linspace(0.1, 0.9, 9)
KINDS = CHANGES | HABITS
EVERY = 10
"""Slices after which the model learns."""
EPOCHS = 5


class Slice(NamedTuple):
    """A slice, its truth as bool, and what the model says of it."""

    name: str
    image: Array
    truth: Array
    probable: Array
    expected: float


class Step(NamedTuple):
    """One thing to do: its name, the mask after it, pixels painted over, and the brush needed."""

    tool: str
    mask: Array
    pixels: int = 0
    radius: int = 0


def loaded(sample: Sample, change: Change) -> Sample:
    """Read a slice and its mask, and change them."""
    with Image.open(sample.image) as image, Image.open(sample.mask) as mask:
        pixels, truth = np.asarray(image.convert("L")), np.asarray(mask.convert("1"))
    pixels, truth = change(pixels, truth.astype(np.uint8))
    return replace(sample, image=pixels, mask=truth)


def predicted(sample: Sample, model: Path) -> Slice:
    how = PredictConfig(probabilities=True, precision="float32")
    *_, result = predict(how, model, Scan(sample.image, "YX"))
    probable = np.asarray(result.probabilities[0], np.float32)
    return Slice(sample.name, sample.image, sample.mask > 0, probable, float(result.dice))


def by_brush(mask: Array, here: Slice, hand: np.random.Generator) -> Iterator[Step]:
    for stroke in strokes(mask, here.truth, hand):
        after = painted(mask, stroke)
        yield Step("brush", after, int(stroke.pixels.sum()), stroke.radius)


def by_tools(mask: Array, here: Slice, hand: np.random.Generator) -> Iterator[Step]:
    """All that could be done next."""
    yield from by_brush(mask, here, hand)
    yield Step("box", _outlined(here, hand))
    yield from _redrawn(mask, here, hand)
    stroke = scribble(mask, here.truth, hand)
    if stroke is not None:
        # The tool brings its own brush.
        yield Step("scribble", _solved(mask, here, stroke), int(stroke.pixels.sum()))
    for level in LEVELS:
        yield Step("threshold", here.probable >= level)
    for name, changed in (
        ("grow", shapes.grow(mask, 1)),
        ("shrink", shapes.shrink(mask, 1)),
        ("smooth", shapes.smooth(mask, 3)),
        ("fill holes", shapes.fill_holes(mask)),
        ("keep largest", shapes.keep_largest(mask)),
    ):
        yield Step(name, changed)


def _outlined(here: Slice, hand: np.random.Generator) -> Array:
    rows, columns = np.nonzero(here.truth)
    tight = np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
    top, left, bottom, right = (int(n) for n in np.round(tight + hand.normal(0, JITTER, 4)))
    box = (top, left, max(bottom, top + 1), max(right, left + 1))
    return outlined(here.image, here.probable >= 0.5, box)


def _redrawn(mask: Array, here: Slice, hand: np.random.Generator) -> Iterator[Step]:
    def worth(line: Array) -> float:
        return dice(redraw_border(mask, line), here.truth)

    line = max(lines(here.truth), key=worth)
    yield Step("border", redraw_border(mask, trembling(line, hand)), STEP * len(line))


def _solved(mask: Array, here: Slice, stroke: Stroke) -> Array:
    nothing = np.zeros_like(mask)
    marks = (stroke.pixels, nothing) if stroke.adds else (nothing, stroke.pixels)
    return marked(here.image, mask, *marks)


def effort(mask: Array, here: Slice, choices: Any) -> tuple[list[str], int]:
    """Bring a mask to the Dice that is wanted; what was done, and the pixels painted over."""
    hand = np.random.default_rng(SEED)
    radius, pixels = FIRST, 0
    done: list[str] = []
    while (now := dice(mask, here.truth)) < GOOD and len(done) < MOST:
        # The truth tells what each brings; the annotator takes what brings most for its cost.
        costs = [(step, 1 + (step.radius not in (0, radius))) for step in choices(mask, here, hand)]
        step, cost = max(costs, key=lambda c: (dice(c[0].mask, here.truth) - now) / c[1])
        if cost > 1:
            radius = step.radius
            done.append("another brush")
        mask, pixels = step.mask, pixels + step.pixels
        done.append(step.tool)
    return done, pixels


def compare(samples: Sequence[Sample]) -> dict[str, Any]:
    ways: dict[str, list[tuple[int, int]]] = {
        "nothing, brush": [],
        "prediction, brush": [],
        "prediction, tools": [],
    }
    tools: dict[str, int] = {}
    for number, sample in enumerate(samples, 1):
        here = predicted(sample, BUNDLED)
        found = here.probable >= 0.5
        for name, start, choices in (
            ("nothing, brush", np.zeros_like(found), by_brush),
            ("prediction, brush", found, by_brush),
            ("prediction, tools", found, by_tools),
        ):
            used, pixels = effort(start, here, choices)
            ways[name].append((len(used), pixels))
            if choices is by_tools:
                for tool in used:
                    tools[tool] = tools.get(tool, 0) + 1
        if number % 20 == 0:
            _say(f"{number} of {len(samples)}")
    figures = {
        name: {
            "strokes": round(float(np.mean([s for s, _ in each])), 3),
            "pixels": round(float(np.mean([p for _, p in each])), 1),
        }
        for name, each in ways.items()
    }
    whole = figures["nothing, brush"]
    for each in figures.values():
        each["of_nothing"] = round(each["strokes"] / whole["strokes"], 3)
    return {"slices": len(samples), "ways": figures, "tools": tools}


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
            used = [len(effort(here.probable >= 0.5, here, by_tools)[0]) for here in now]
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
    parser.add_argument("--slices", type=int)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--change", choices=KINDS, default="as they are")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(every=EVERY)
    with given_to(parser, brisc, slices=3, every=2) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        keep = not given.smoke
        samples = brisc_samples(given.folder, healthy=False)
        count = given.slices or (100 if given.learn else 200)
        held_out = sorted(drawn(samples, count, SEED), key=lambda s: s.name)
        chosen = [loaded(s, KINDS[given.change]) for s in held_out]
        if given.learn:
            curves = {
                name: curve(samples, chosen, learn, given.every)
                for name, learn in (("learning", True), ("as it is", False))
            }
            record = {"slices": count, "change": given.change, "curves": curves}
            write_record("annotation_effort", f"learning {given.change}", record, keep=keep)
        else:
            write_record("annotation_effort", "bundled", compare(chosen), keep=keep)


if __name__ == "__main__":
    main()
