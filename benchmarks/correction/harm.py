"""How often a prompt makes a mask worse.

Clicks and strokes go one after another to the largest error, whatever they bring, by a hand that
trembles and by a steady one. A prompt harms that lowers the Dice by over `HARM`. The tool Point
answers, with the prompts before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common.prompting import found
from benchmarks.correction.annotator import SEED, Present
from benchmarks.correction.pointing import clicked, followed, scribbled
from benchmarks.correction.strokes import GOOD, dice
from napari_unet_seg.data.prompts.marks import TREMOR, largest_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.common.brisc_slices import Slice
    from napari_unet_seg.arrays import Array

HARM = 0.005
PROMPTS = 3
HANDS = {"trembling": TREMOR, "steady": 0.0}
KINDS = {"clicks": clicked, "strokes": scribbled}


def harm(slices: Sequence[Slice]) -> dict[str, dict[str, float]]:
    """Share of prompts that harm, from the model's mask and from nothing."""
    figures: dict[str, dict[str, float]] = {}
    for start in ("prediction", "nothing"):
        for kind in KINDS:
            row = figures[f"{kind}, from {start}"] = {}
            for name, tremor in HANDS.items():
                gains = [
                    gain
                    for here in slices
                    for gain in _gains(here, _mask(here, start), kind, tremor)
                ]
                harmed = sum(gain < -HARM for gain in gains)
                row[name] = round(harmed / max(1, len(gains)), 4)
                row["prompts"] = len(gains)
    return figures


def _mask(here: Slice, start: str) -> Array:
    return here.probable >= (0.5 if start == "prediction" else np.inf)


def _gains(here: Slice, mask: Array, kind: str, tremor: float) -> Iterator[float]:
    """What each prompt brings, until the mask is good or there were so many."""
    find, hand, present = partial(found, here.image), np.random.default_rng(SEED), Present(mask)
    for _ in range(PROMPTS):
        before = dice(present.mask, here.truth)
        if before >= GOOD:
            return
        marks = KINDS[kind](*largest_error(present.mask, here.truth), hand, tremor)
        present = followed(find, present, marks, scribbled=kind == "strokes")
        yield dice(present.mask, here.truth) - before
