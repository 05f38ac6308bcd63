"""What a network of prompts makes of the clicks and boxes of an unsteady hand.

    python -m benchmarks.prompts.measure DATA [--model CHECKPOINT] [--count 60] [--sets BRISC]
    python -m benchmarks.prompts.measure DATA --machine "two cores, AVX-512 bfloat16"

A robot clicks into the middle of the largest error, off by a normal deviate of two pixels. The mean
Dice after 1, 2, 3 and 5 clicks and after a box is of the slices of each set; `to_90` is the mean
number of clicks to a Dice of 0.90, ten where ten do not suffice; `harmed` is the share of clicks
after which the Dice is lower. `--count 0` takes every slice. `carried`, with `--carry`, is the mean
Dice of whole scans after one click or box on one slice, and after three on three.

With `--machine`, the name of what it runs on, the time of an answer is measured instead, and kept
with the threads and the precision that were taken. `ONEDNN_MAX_CPU_ISA=AVX2` shows a processor
without bfloat16.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skimage.transform import resize

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.prompts.cases import SETS, Case, drawn, volumes
from benchmarks.prompts.robot import (
    Prompt,
    boxed,
    carried,
    clicked,
    dice,
    one_box,
    one_click,
)
from benchmarks.prompts.synthetic import data
from napari_unet_seg import __version__
from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig
from napari_unet_seg.data.prompts.marks import PREVIOUS
from napari_unet_seg.data.prompts.neighbours import lasso_maps
from napari_unet_seg.data.prompts.simulation import click_maps
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.inference.prompted.answer import answer
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import PROMPT_NETWORK
from napari_unet_seg.models.header import CheckpointInfo
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import save_checkpoint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.inference.predictor import Predictor


CLICKS = 10
ENOUGH = 0.9
SIZES = (256, 640)
"""Pixels a side of the slices on which the time of an answer is measured."""
SMOKE = ModelConfig(width=4, depth=2, prompts=True)


def answering(predictor: Predictor) -> Callable[[Array, Array], Array]:
    """The network as a function from an image and maps to a mask."""
    return lambda image, maps: probable(predictor, image, maps) >= 0.5


def carrying(predictor: Predictor) -> Callable[[Array, Array], Array]:
    """The network as a function from an image and a lasso to probabilities."""
    return lambda image, lasso: probable(predictor, image, lasso_maps(lasso))


def probable(predictor: Predictor, image: Array, maps: Array) -> Array:
    """Probabilities of the object that maps (4, Y, X) mean on an image (Y, X)."""
    scan, whole = Scan(image, "YX"), np.zeros(image.shape, np.float32)
    sides, probable = answer(predictor, scan, maps[:PREVIOUS], maps[PREVIOUS], (0.0, 255.0))
    whole[sides] = probable
    return whole


def clicks_to(scores: list[float], wanted: float) -> int:
    """Clicks until a Dice is reached; all that were given where it is not."""
    return next((n for n, score in enumerate(scores, 1) if score >= wanted), len(scores))


def figures_of(predictor: Predictor, cases: list[Case]) -> dict[str, Any]:
    """Mean figures over the slices of one set."""
    rng = np.random.default_rng(0)
    mask_of = answering(predictor)
    scores = [clicked(mask_of, *case, rng, CLICKS) for case in cases]
    boxes = [boxed(mask_of, *case, rng) for case in cases]
    mean = np.mean(scores, 0)
    return {
        "slices": len(cases),
        "clicks": {str(n): round(float(mean[n - 1]), 3) for n in (1, 2, 3, 5)},
        "box": round(float(np.mean(boxes)), 3),
        "to_90": round(float(np.mean([clicks_to(s, ENOUGH) for s in scores])), 2),
        "harmed": round(float((np.diff(scores, axis=1) < -0.005).mean()), 3),
    }


def volume_dice(predictor: Predictor, cases: list[Case]) -> dict[str, dict[str, float]]:
    """Mean Dice of volumes, by the prompt and the number of slices that got one."""
    asked = carrying(predictor), answering(predictor)

    def mean(count: int, prompt: Prompt) -> float:
        rng = np.random.default_rng(0)
        scores = [dice(carried(*asked, case, rng, count, prompt), case.truth) for case in cases]
        return round(float(np.mean(scores)), 3)

    prompts = {"click": one_click, "box": one_box}
    return {k: {str(n): mean(n, prompt) for n in (1, 3)} for k, prompt in prompts.items()}


def times_of(predictor: Predictor, case: Case, rounds: int) -> dict[str, float]:
    """Median milliseconds of an answer by the slice's size, the sizes in turns."""
    mask_of = answering(predictor)
    large = {n: [resize(a, (n, n), order=0, preserve_range=True) for a in case] for n in SIZES}
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size, (image, truth) in large.items():
            maps = click_maps(truth > 0.5)
            start = time.perf_counter()
            mask_of(image.astype(np.uint8), maps)
            times[size].append(time.perf_counter() - start)
    return {str(n): round(1000 * float(np.median(t[1:])), 1) for n, t in times.items()}


def untrained(folder: Path) -> Path:
    """A small network that knows nothing."""
    path = folder / "smoke.safetensors"
    target = (Category(id=1, name="target"),)
    info = CheckpointInfo(
        version=__version__,
        model=SMOKE,
        categories=target,
        normalise=NormaliseConfig(),
        image_size=64,
    )
    save_checkpoint(path, build_net(SMOKE), info)
    return path


def quality(predictor: Predictor, given: argparse.Namespace) -> dict[str, Any]:
    """What is made of prompts on each set, and of whole scans."""
    sets = {
        name: figures_of(predictor, drawn(name, given.folder, given.count)) for name in given.sets
    }
    scans = volumes(given.folder) if given.carry else {}
    carry = {name: volume_dice(predictor, cases) for name, cases in scans.items()}
    return {"steps": predictor.info.epoch, "sets": sets, "carried": carry}


def timed(predictor: Predictor, given: argparse.Namespace) -> dict[str, Any]:
    """Times of an answer, and what it was computed with."""
    return {
        "threads": torch.get_num_threads(),
        "precision": str(predictor.dtype).removeprefix("torch."),
        "ms": times_of(predictor, drawn(given.sets[0], given.folder, 1)[0], given.rounds),
    }


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", type=Path, default=PROMPT_NETWORK)
    parser.add_argument("--name", default="prompts")
    parser.add_argument("--machine", help="what it runs on; measures the time of an answer alone")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--carry", action="store_true", help="also through whole scans")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(rounds=21)
    smallest = {"count": 2, "sets": ["BRISC", "heads, structures"], "rounds": 2}
    with given_to(parser, data, **smallest) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        model = untrained(given.scratch) if given.smoke else given.model
        predictor, keep = load_predictor(model, "auto", "auto"), not given.smoke
        if given.smoke or not given.machine:
            found = {"name": given.name} | quality(predictor, given)
            write_record("prompts", given.name, found, keep=keep)
        if given.smoke or given.machine:
            times = {"name": given.machine} | timed(predictor, given)
            write_record("prompt_times", given.machine, times, keep=keep)


if __name__ == "__main__":
    main()
