"""Automatic models on sequences of any kind: what they find, and where nothing should be found.

    python -m benchmarks.accuracy.sequences DATA [--cache CACHE] [--model bundled] [--every 1]

DATA holds `brisc-256` (its held-out fifth: T1 with contrast, also inverted), `lgg-flair` (FLAIR of
twelve patients) and `nifti` (one patient of BraTS); CACHE holds drawn heads (`prompts.cache`). Of
what is not BRISC no model here has learnt a lesion. Told is the mean Dice of the slices with a
tumour, of LGG's patients that of all slices together, and how often there is a mask where none
belongs: on healthy slices, healthy drawn heads, and heads with many small lesions as in multiple
sclerosis. `--every` takes each n-th slice.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.accuracy.volumes import BRATS, lgg_scans
from benchmarks.accuracy.volumes import figures as scan_figures
from benchmarks.bundled.train_sequences import many
from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.brisc_figures import figures_of, measured
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import model_name, write_record
from benchmarks.prompts.cache import smoke_cache
from benchmarks.prompts.cases import SETS, Case
from benchmarks.prompts.lesions import LESION
from benchmarks.prompts.targets import SMALLEST
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_unet_seg.arrays import Array

HOW = PredictConfig(precision="float32")
NOT_CARRIED = {"carry": "never"}
KINDS = ("healthy heads", "heads with many lesions")
_BLACK = 10
"""Brightest grey of a drawn slice that shows no head."""


def of_brisc(model: Path, folder: Path, every: int) -> dict[str, Any]:
    """Held-out slices, and the same inverted."""
    held_out = [s for s in brisc_samples(folder / "brisc-256").samples if s.split == "valid"]
    plain = figures_of(measured(model, held_out[::every]))
    inverted = figures_of(measured(model, held_out[::every], lambda i, t: (255 - i, t)))
    return {
        "BRISC": plain["dice"],
        "gliomas": plain["groups"].get("glioma"),
        "false": plain["false"],
        "healthy": plain["healthy"],
        "inverted": inverted["dice"],
    }


def of_slices(model: Path, cases: Iterable[Case]) -> float:
    """Mean Dice of slices with a tumour."""
    scores = []
    for image, truth in cases:
        if np.count_nonzero(truth) >= SMALLEST:
            scores.append(count(found_on(model, image), truth, 1).dice)
    return round(float(np.mean(scores)), 4)


def of_heads(model: Path, cache: Path, every: int) -> dict[str, list[int]]:
    """Slices with a mask, and all slices, of drawn heads in which no tumour belongs."""
    marked = {kind: [0, 0] for kind in KINDS}
    for kind, image in clean_heads(cache, every):
        marked[kind][0] += bool(found_on(model, image).any())
        marked[kind][1] += 1
    return marked


def clean_heads(cache: Path, every: int) -> Iterator[tuple[str, Array]]:
    """Slices of drawn heads in which no tumour belongs, and of which of `KINDS` they are."""
    for file in sorted((cache / "held_out").glob("[0-9]*.npy")):
        slices = np.load(file, mmap_mode="r")
        healthy = not many(slices)
        for image, labels, _ in slices[::every]:
            if (healthy and (labels >= LESION).any()) or image.max() < _BLACK:
                continue
            yield KINDS[not healthy], image


def found_on(model: Path, image: Array) -> Array:
    """The mask of a slice."""
    *_, result = predict(HOW, model, Scan(np.array(image), "YX"))
    return np.asarray(result.labels > 0)


def figures(
    model: Path, folder: Path, cache: Path, every: int, real: bool = True
) -> dict[str, Any]:
    """Measure a network on all sets, nothing carried; without `real` on those that can be drawn."""
    found = of_brisc(model, folder, every)
    if real:
        found["LGG FLAIR"] = scan_figures(model, lgg_scans(folder), NOT_CARRIED)["dice"]
        for name in BRATS:
            found[name] = of_slices(model, list(SETS[name](folder))[::every])
    return found | of_heads(model, cache, every)


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--cache", type=Path, default=Path("runs/prompts-cache"))
    parser.add_argument("--model", default="bundled", help="name or file of a checkpoint")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, smoke_cache, every=8) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        if given.smoke:
            given.folder, given.cache = given.folder.parent, given.folder
        model, real = checkpoint_path(given.model), not given.smoke
        found = figures(model, given.folder, given.cache, given.every, real)
        name = model_name(model)
        write_record("sequences", name, {"name": name, **found}, keep=real)


if __name__ == "__main__":
    main()
