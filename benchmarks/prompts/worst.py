"""Pictures of the slices on which a network of prompts does worst.

    python -m benchmarks.prompts.worst DATA [--model CHECKPOINT] [--clicks 1] [--out runs/worst]

One sheet a set: the truth green, the answer red, clicks inside yellow and outside blue, and the
Dice, the worst first. The sheets show the data, so they belong into an ignored folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from benchmarks.common.options import given_to, parser_of
from benchmarks.prompts.cases import SETS, Case, drawn
from benchmarks.prompts.measure import answering, untrained
from benchmarks.prompts.robot import corrections, dice
from benchmarks.prompts.synthetic import data
from benchmarks.sheets.sheet import BLUE, GREEN, RED, YELLOW, Tile, sheet
from napari_unet_seg.data.prompts.marks import NEGATIVE, POSITIVE, PREVIOUS
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.models import PROMPT_NETWORK

if TYPE_CHECKING:
    from benchmarks.prompts.robot import Answer
    from napari_unet_seg.arrays import Array

WORST = 20


class Answered(NamedTuple):
    """A slice, and what the network made of the clicks on it."""

    case: Case
    maps: Array
    dice: float


def answered(answer: Answer, cases: list[Case], clicks: int) -> list[Answered]:
    """All cases, the worst first."""
    rng = np.random.default_rng(0)
    found = []
    for case in cases:
        *_, maps = corrections(answer, *case, rng, clicks)
        found.append(Answered(case, maps, dice(maps[PREVIOUS], case.truth)))
    return sorted(found, key=lambda each: each.dice)


def _tile(each: Answered) -> Tile:
    maps = each.maps
    outlined = [(each.case.truth, GREEN), (maps[PREVIOUS], RED)]
    clicks = [(maps[POSITIVE], YELLOW), (maps[NEGATIVE], BLUE)]
    return Tile(each.case.image, outlined, f"{each.dice:.2f}", clicks)


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", type=Path, default=PROMPT_NETWORK)
    parser.add_argument("--out", type=Path, default=Path("runs/worst"))
    parser.add_argument("--clicks", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--threads", type=int, default=0)
    smallest = {"count": 2, "sets": ["BRISC"]}
    with given_to(parser, data, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        out = given.scratch if given.smoke else given.out
        out.mkdir(parents=True, exist_ok=True)
        model = untrained(given.scratch) if given.smoke else given.model
        answer = answering(load_predictor(model, "auto", "auto"))
        for name in given.sets:
            found = answered(answer, drawn(name, given.folder, given.count), given.clicks)
            sheet([_tile(each) for each in found[:WORST]]).save(out / f"{name}.png")


if __name__ == "__main__":
    main()
