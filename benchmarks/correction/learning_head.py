"""What a head on the frozen features of the bundled model learns from a few accepted slices.

    python -m benchmarks.correction.learning_head DATA [--counts 5 10 20] [--draws 5]

*One patient*: some slices of a patient of `lgg-flair/tune` are accepted, at least two of them with
a lesion, and the others of the patient are predicted. *Other patients*: slices of six patients are
accepted, and those of the other six predicted. *BRISC*: held-out slices are accepted, and sixty
others predicted, as they are and inverted. `model` and `head` are the mean Dice, by patient where
there are patients; `better` counts the patients, or the draws, on which the head is ahead; `chosen`
is the mean Dice where the check on the accepted slices decides between the two, and `used` how
often it takes the head. `seconds` is the median time of fit and check.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from benchmarks.common.brisc_data import brisc_samples, drawn
from benchmarks.common.brisc_slices import loaded
from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc_and_lgg
from benchmarks.robustness.images import CHANGES
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.inference.head.check import compare
from napari_unet_seg.inference.head.fitting import fit_head, network_head
from napari_unet_seg.inference.predictor import Predictor, load_predictor
from napari_unet_seg.io.common.window import shared_window
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.training.proposals import example_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.inference.head.fitting import Example, Head

MEASURED = 60
KINDS = ("as they are", "inverted")


class Task(NamedTuple):
    """Slices to learn from with their patients, and the slices that are predicted."""

    accepted: list[Example]
    groups: list[str]
    others: list[list[Example]]
    """By patient."""


def dice(head: Head, slices: list[Example]) -> float:
    """The Dice of slices that are stacked, at the size of training."""
    found = [head.logits(each.features) > 0 for each in slices]
    both = sum(int((mask & each.truth).sum()) for mask, each in zip(found, slices, strict=True))
    sizes = sum(
        int(mask.sum() + each.truth.sum()) for mask, each in zip(found, slices, strict=True)
    )
    return 2 * both / sizes if sizes else float("nan")


def lgg(predictor: Predictor, folder: Path) -> list[list[Example]]:
    """The slices of each patient."""
    return [
        [
            example_of(predictor, Sample("", image, truth, "", None, window))
            for image, truth in zip(scan.data, masks, strict=True)
        ]
        for scan, masks in patients(folder / "lgg-flair" / "tune")
        for window in [shared_window(scan, predictor.info.normalise)]
    ]


def one_patient(stacks: list[list[Example]], count: int) -> Iterator[Task]:
    for number, stack in enumerate(stacks):
        order = np.random.default_rng(number).permutation(len(stack)).tolist()
        ill = [i for i in order if stack[i].truth.any()]
        first = ill[: min(2, len(ill) // 2)]
        chosen = sorted((first + [i for i in order if i not in first])[:count])
        rest = [each for i, each in enumerate(stack) if i not in chosen]
        if any(each.truth.any() for each in rest):
            yield Task([stack[i] for i in chosen], [""] * len(chosen), [rest])


def other_patients(stacks: list[list[Example]], count: int) -> Iterator[Task]:
    half = len(stacks) // 2
    for known, others in ((stacks[:half], stacks[half:]), (stacks[half:], stacks[:half])):
        rng = np.random.default_rng(count)
        pool = [(str(i), each) for i, stack in enumerate(known) for each in stack]
        ill = [pair for pair in pool if pair[1].truth.any()]
        chosen = [ill[i] for i in rng.permutation(len(ill))[: (count + 1) // 2]]
        chosen += [pool[i] for i in rng.permutation(len(pool))[: count // 2]]
        yield Task([each for _, each in chosen], [name for name, _ in chosen], others)


def brisc(predictor: Predictor, folder: Path, kind: str, draws: int) -> list[list[Example]]:
    samples = brisc_samples(folder / "brisc-256", healthy=False)
    return [
        [
            example_of(predictor, loaded(each, CHANGES[kind]))
            for each in drawn(samples, 20 + MEASURED, seed)
        ]
        for seed in range(draws)
    ]


def figures_of(tasks: list[Task]) -> dict[str, Any]:
    """Mean figures over tasks."""
    rows, seconds = [], []
    for accepted, groups, others in tasks:
        start = time.perf_counter()
        head, checked = fit_head(accepted), compare(accepted, groups)
        seconds.append(time.perf_counter() - start)
        network = network_head(accepted)
        for slices in others:
            own, theirs = dice(network, slices), dice(head, slices)
            rows.append((own, theirs, theirs if checked.is_better else own, checked.is_better))
    if not rows:
        return {}
    own, theirs, chosen, used = np.array(rows, float).T
    return {
        "model": mean_of(own),
        "head": mean_of(theirs),
        "better": f"{int((theirs > own).sum())} of {len(rows)}",
        "chosen": mean_of(chosen),
        "used": f"{int(used.sum())} of {len(rows)}",
        "seconds": round(float(np.median(seconds)), 2),
    }


def mean_of(dice: np.ndarray) -> float | None:
    """The mean where there is anything to find; None if there is nowhere."""
    known = dice[~np.isnan(dice)]
    return round(float(known.mean()), 3) if known.size else None


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--counts", nargs="*", type=int, default=[5, 10, 20])
    parser.add_argument("--draws", type=int, default=5, help="draws from BRISC")
    with given_to(parser, brisc_and_lgg, counts=[2], draws=1) as given:
        torch.set_num_threads(1)
        predictor = load_predictor(BUNDLED, "cpu", "float32")
        stacks = lgg(predictor, given.folder)
        rows = {
            "one patient": {str(n): figures_of([*one_patient(stacks, n)]) for n in given.counts},
            "other patients": {
                str(n): figures_of([*other_patients(stacks, n)]) for n in given.counts
            },
        }
        del stacks
        for kind in KINDS:
            draws = brisc(predictor, given.folder, kind, given.draws)
            rows[f"BRISC, {kind}"] = {
                str(n): figures_of(
                    [Task(d[:n], [*map(str, range(n))], [d[n:][-MEASURED:]]) for d in draws]
                )
                for n in given.counts
            }
        write_record("learning_head", "bundled", {"tasks": rows}, keep=not given.smoke)


if __name__ == "__main__":
    main()
