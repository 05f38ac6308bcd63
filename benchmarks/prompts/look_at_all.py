"""What prompts find when the network looks at one sequence of a patient, and at both.

    python -m benchmarks.prompts.look_at_all DATA [--slices 30]

The robot of `robot.py` clicks on slices of the BraTS patient, on the sequence that shows what is
meant: the whole lesion on FLAIR, the core on T1 with contrast. `alone` has the mean Dice after 1
and 3 clicks where the network looks at this sequence, `all` where it looks at the other one too.
`carried` is the Dice of the volume after a click on one slice, and on three, carried through it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.prompts.cases import brats_flair, brats_t1c
from benchmarks.prompts.robot import chosen_slices, clicked, dice
from benchmarks.prompts.targets import SMALLEST
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.data.prompts.marks import PREVIOUS, middle, trembling
from napari_unet_seg.events import ScanRefined
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.inference.prompted.answer import answer
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import Windowed
from napari_unet_seg.io.prompts.entries import ObjectPrompts, Prompts
from napari_unet_seg.models import PROMPT_NETWORK
from napari_unet_seg.prompting.refine_scan import refine_scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array

WHITE = (0.0, 255.0)
CLICKS = (1, 3)


class Sequences:
    """The network that looks at the first or all of some slices (S, Y, X)."""

    def __init__(self) -> None:
        self._predictor = load_predictor(PROMPT_NETWORK, "auto", "auto")
        self.seconds: list[float] = []

    def __call__(self, images: Array, maps: Array) -> Array:
        """Return the mask (Y, X) of the object that maps mark on slices (S, Y, X)."""
        shown, *others = (Windowed(Scan(image, "YX"), WHITE) for image in images)
        start = time.perf_counter()
        before = maps[PREVIOUS]
        asked = maps[:PREVIOUS], before, WHITE, others
        sides, probable = answer(self._predictor, shown.scan, *asked)
        self.seconds.append(time.perf_counter() - start)
        mask = np.zeros(before.shape, bool)
        mask[sides] = probable >= 0.5
        return mask


def carried(images: Array, truth: Array, count: int) -> float:
    """The Dice of a volume (S, Z, Y, X) after clicks on some slices, carried through it."""
    rng = np.random.default_rng(0)
    points = []
    for index in chosen_slices(truth, count):
        row, column = trembling(middle(truth[index]), rng)
        points.append((float(column), float(row), float(index)))
    prompts = Prompts(objects=(ObjectPrompts(points=tuple(points)),))
    shown, *others = (Scan(volume, "ZYX") for volume in images)
    config = PredictConfig()
    *_, found = refine_scan(config, PROMPT_NETWORK, shown, prompts, carry=True, others=others)
    assert isinstance(found, ScanRefined)
    return round(dice(found.labels > 0, truth), 3)


def figures_of(images: Array, truth: Array, slices: int) -> dict[str, Any]:
    """Mean Dice on slices and through the volume, and the milliseconds of an answer."""
    ill = np.flatnonzero(truth.sum((1, 2)) >= SMALLEST)
    drawn = np.random.default_rng(0).permutation(ill)[:slices]
    ask, rng = Sequences(), np.random.default_rng(0)
    scores = [clicked(ask, images[:, i], truth[i], rng, max(CLICKS)) for i in drawn]
    mean = np.mean(scores, 0)
    return {
        "clicks": {str(n): round(float(mean[n - 1]), 3) for n in CLICKS},
        "carried": {str(n): carried(images, truth, n) for n in CLICKS},
        "ms": round(1000 * float(np.median(ask.seconds)), 1),
    }


def volumes(folder: Path, smoke: bool) -> Iterator[tuple[str, Array, Array]]:
    """What is meant, the sequences with the shown one first, and the truth."""
    if smoke:
        yield "ball", *_ball()
        return
    both = {"whole lesion, FLAIR": brats_flair(folder), "core, T1c": brats_t1c(folder)}
    cases = {name: list(slices) for name, slices in both.items()}
    for name, own in cases.items():
        (other,) = (slices for key, slices in cases.items() if key != name)
        images = [[case.image for case in slices] for slices in (own, other)]
        yield name, np.array(images), np.array([case.truth for case in own])


def _ball() -> tuple[Array, Array]:
    grid = np.indices((5, 64, 64)) - np.array([2, 32, 32])[:, None, None, None]
    ball = (grid**2).sum(0) < 12**2
    grey = (60 + 100 * ball).astype(np.uint8)
    return np.stack([grey, 255 - grey]), ball


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--slices", type=int, default=30)
    with given_to(parser, lambda folder: folder, slices=1) as given:
        torch.set_num_threads(1)
        record = {
            name: {
                "alone": figures_of(images[:1], truth, given.slices),
                "all": figures_of(images, truth, given.slices),
            }
            for name, images, truth in volumes(given.folder, given.smoke)
        }
        write_record("look_at_all", "brats", {"sets": record}, keep=not given.smoke)


if __name__ == "__main__":
    main()
