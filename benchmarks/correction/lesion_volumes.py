"""Whole scans with a lesion each: of patients, and drawn from held-out heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.prompts.cases import Case, volumes
from benchmarks.prompts.head_labels import heads, load_head, numbered
from benchmarks.prompts.lesions import LESION, OEDEMA, grow_lesions
from benchmarks.prompts.rendering import drawn_look, greys, lesion_greys, render
from benchmarks.prompts.targets import looks_alike, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array

    Rng = np.random.Generator

SEED = 7
AROUND = 12
"""Slices drawn below and above a lesion."""
SLICES = (12, 60)
"""Slices of a lesion that is taken."""
HEADS = "heads, one lesion"


def lesion_volumes(folder: Path) -> dict[str, list[Case]]:
    """Scans by their data set, those that the folder holds."""
    patients = volumes(folder) if (folder / "lgg-flair").is_dir() else {}
    return {HEADS: list(head_volumes(folder))} | patients


def head_volumes(folder: Path) -> Iterator[Case]:
    """A scan of each held-out head with its largest lesion.

    Bias field, grain and noise are the same on each slice, so that they go on through the scan.
    """
    for number, path in enumerate(heads(folder / "head-labels", held_out=True)):
        codes = load_head(path)
        seeds = (np.random.default_rng([SEED, number, n]) for n in range(100))
        yield next(case for rng in seeds if (case := _drawn(codes, rng)) is not None)


def _drawn(codes: Array, rng: Rng) -> Case | None:
    labels = grow_lesions(numbered(codes), rng)
    ill = labels >= LESION
    if not ill.any():
        return None
    number = np.bincount((labels[ill] - LESION) // 3).argmax()
    mine = ill & ((labels - LESION) // 3 == number)
    sizes = mine.sum((1, 2))
    low, high = np.flatnonzero(sizes)[[0, -1]]
    if not SLICES[0] <= high + 1 - low <= SLICES[1]:
        return None
    table, look, seed = lesion_greys(greys(rng), rng), drawn_look(rng), int(rng.integers(2**31))

    def image(index: int) -> Array:
        return render(labels, table, index, look, np.random.default_rng(seed))

    middle = int(sizes.argmax())
    if not looks_alike(image(middle), labels[middle]):
        mine &= (labels - LESION) % 3 != OEDEMA
    if not visible(image(middle), mine[middle]):
        return None
    around = range(max(0, low - AROUND), min(len(labels), high + 1 + AROUND))
    return Case(np.stack([image(index) for index in around]), mine[around.start : around.stop])
