"""Pictures of the slices on which an automatic model does worst.

    python -m benchmarks.sheets.worst DATA [--cache CACHE] [--model bundled] [--out runs/worst]

DATA and CACHE are those of `benchmarks.accuracy.sequences`. One sheet has the twenty slices of a
set with the lowest Dice, of those without any overlap the largest tumours first; the others have
slices that are marked where nothing is to be found, the largest masks first. The truth is green,
the answer red. The sheets show the data, so they belong into an ignored folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from benchmarks.accuracy.sequences import HOW, clean_heads, found_on
from benchmarks.accuracy.volumes import scans_of
from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.brisc_figures import read_slice
from benchmarks.common.options import given_to, parser_of
from benchmarks.prompts.cache import smoke_cache
from benchmarks.prompts.cases import NORMALISE
from benchmarks.prompts.targets import SMALLEST
from benchmarks.sheets.sheet import GREEN, RED, Tile, sheet
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from napari_unet_seg.arrays import Array

    Sets = Iterator[tuple[str, list["Answered"]]]

WORST = 20


class Answered(NamedTuple):
    """A slice, its truth and the model's answer, both bool."""

    image: Array
    truth: Array
    answer: Array
    name: str

    @property
    def dice(self) -> float:
        """Dice of the answer; NaN where both are empty."""
        return count(self.answer, self.truth, 1).dice


def of_brisc(model: Path, given: argparse.Namespace) -> Sets:
    """The held-out slices."""
    held_out = [s for s in brisc_samples(given.folder / "brisc-256").samples if s.split == "valid"]
    found = []
    for sample in held_out[:: given.every]:
        image, truth = read_slice(sample)
        kind = "_".join(sample.name.split("_")[2:5])
        found.append(Answered(image, truth > 0, found_on(model, image), kind))
    yield "BRISC", found


def of_scans(model: Path, given: argparse.Namespace) -> Sets:
    """Slices of whole scans, as the network itself segments them as volumes."""
    for name, scans in scans_of(given.folder).items():
        found = []
        for number, (images, truths) in enumerate(scans):
            *_, result = predict(HOW.replace(carry="never"), model, Scan(images, "ZYX"))
            for index, slices in enumerate(zip(images, truths, result.labels > 0, strict=True)):
                found.append(Answered(*slices, f"scan {number}, {index}"))
        yield name, found


def of_heads(model: Path, given: argparse.Namespace) -> Sets:
    """Drawn heads in which nothing is to be found."""
    found: dict[str, list[Answered]] = {}
    for number, (kind, image) in enumerate(clean_heads(given.cache, given.every)):
        nothing = np.zeros(image.shape, bool)
        answered = Answered(image, nothing, found_on(model, image), str(number))
        found.setdefault(kind, []).append(answered)
    yield from found.items()


OF: dict[str, Callable[[Path, argparse.Namespace], Sets]] = {
    "brisc": of_brisc,
    "scans": of_scans,
    "heads": of_heads,
}


def worst(slices: Iterable[Answered]) -> list[Answered]:
    """Those with the lowest Dice, and of equal ones with the largest tumour first."""
    ill = [each for each in slices if np.count_nonzero(each.truth) >= SMALLEST]
    return sorted(ill, key=lambda each: (each.dice, -np.count_nonzero(each.truth)))[:WORST]


def marked(slices: Iterable[Answered]) -> list[Answered]:
    """Those that have a mask, and none in the truth, the largest masks first."""
    false = [each for each in slices if each.answer.any() and not each.truth.any()]
    return sorted(false, key=lambda each: -np.count_nonzero(each.answer))[:WORST]


def _tile(each: Answered) -> Tile:
    outlined = [(each.truth, GREEN), (each.answer, RED)]
    dice = f"{each.dice:.2f}  " if each.truth.any() else ""
    grey = to_uint8(each.image, scan_window(each.image, NORMALISE))
    return Tile(grey, outlined, f"{dice}{each.name}")


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--cache", type=Path, default=Path("runs/prompts-cache"))
    parser.add_argument("--model", default="bundled", help="name or file of a checkpoint")
    parser.add_argument("--out", type=Path, default=Path("runs/worst"))
    parser.add_argument("--of", nargs="*", default=list(OF), choices=list(OF))
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(every=1)
    with given_to(parser, smoke_cache, every=8, of=["brisc", "heads"]) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        out, model = given.out, checkpoint_path(given.model)
        if given.smoke:
            out, given.cache, given.folder = given.scratch, given.folder, given.folder.parent
        out.mkdir(parents=True, exist_ok=True)
        for name, slices in (found for of in given.of for found in OF[of](model, given)):
            for kind, chosen in (("worst", worst(slices)), ("marked", marked(slices))):
                if chosen:
                    sheet([_tile(each) for each in chosen]).save(out / f"{name}, {kind}.png")


if __name__ == "__main__":
    main()
