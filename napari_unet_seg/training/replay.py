"""The data that a model was trained on before, where they are still at hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.data.samples import Sample, Split
    from napari_unet_seg.models.header import CheckpointInfo

MEASURED = 200
"""Earlier samples that a model is measured on, at most."""


def earlier_samples(base: Path, info: CheckpointInfo, folder: Path | None) -> SampleSet | None:
    """Read the data set of a model, each sample on the side that its run gave it.

    Parameters
    ----------
    base : Path
        Checkpoint of the model; `split.json` beside it tells the sides.
    info : CheckpointInfo
        Its header.
    folder : Path, optional
        Where the data set is now; else where it was as the model was trained.

    Returns
    -------
    SampleSet or None
        None where no folder is given and the data set is no longer where it was. Names end in
        `(earlier)`, so that none is that of a new sample.

    Raises
    ------
    DataError
        If the folder that is given holds no data set, or has other categories than the model.
    """
    if folder is None:
        return _where_it_was(base, info)
    samples = open_dataset(folder)
    if names(samples.categories) != names(info.categories):
        raise DataError(
            f"{folder} has the categories {', '.join(names(samples.categories))} and the model "
            f"{', '.join(names(info.categories))}; give the data set it was trained on."
        )
    return _on_sides(samples, base)


def _where_it_was(base: Path, info: CheckpointInfo) -> SampleSet | None:
    source = Path(str(info.summary.get("source", "")))
    if not source.is_absolute() or not source.is_dir():
        return None
    try:
        return earlier_samples(base, info, source)
    except DataError:
        # Whatever stands there now, nobody asked for it.
        return None


def names(categories: Sequence[Category]) -> list[str]:
    """Names of categories, in their order."""
    return [c.name for c in categories]


def _on_sides(samples: SampleSet, base: Path) -> SampleSet:
    run = Run(base.parent)
    stored = run.split() if (run.folder / "split.json").is_file() else {}
    held_out, trained = (set(stored.get(side, ())) for side in ("valid", "train"))

    def side(sample: Sample) -> Split:
        if sample.name in held_out:
            return "valid"
        return "train" if sample.name in trained else sample.split or "train"

    moved = tuple(
        dataclasses.replace(s, name=f"{s.name} (earlier)", split=side(s)) for s in samples.samples
    )
    return SampleSet(moved, samples.categories, samples.source)


def draw(samples: SampleSet, side: str, count: int, seed: int) -> tuple[Sample, ...]:
    """Draw samples of one side at random, all of them where there are no more; in their order."""
    members = [s for s in samples.samples if s.split == side]
    chosen = np.random.default_rng(seed).permutation(len(members))[:count]
    return tuple(members[i] for i in sorted(chosen))
