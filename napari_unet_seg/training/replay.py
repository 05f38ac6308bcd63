"""Replay: the data that a model was trained on, if they can still be read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import UNNAMED
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.models.header import CheckpointInfo

MEASURED = 200
"""Largest number of previous samples that a model is measured on."""


def previous_samples(base: Path, info: CheckpointInfo, folder: Path | None) -> SampleSet | None:
    """Read the data set that a model was trained on, with the splits of its run.

    Parameters
    ----------
    base : Path
        Checkpoint of the model; the splits are read from `split.json` in the same folder.
    info : CheckpointInfo
        Header of the checkpoint.
    folder : Path, optional
        Folder of the data set; by default the folder that the header names.

    Returns
    -------
    SampleSet or None
        None if no folder is given and the folder in the header holds no matching data set. The
        names end in `(earlier)`, so that none of them equals the name of a new sample.

    Raises
    ------
    DataError
        If the given folder holds no data set, or its categories differ from the model's.
    """
    if folder is None:
        return _previous_at_source(base, info)
    dimensions = info.model.dimensions
    found = open_dataset(folder, dimensions, info.sequences, may_lack=True)
    samples, _ = with_category_of(found, info)
    if names(samples.categories) != names(info.categories):
        raise DataError(
            f"{folder} has the categories {', '.join(names(samples.categories))} and the model "
            f"{base} has {', '.join(names(info.categories))}; give the data set that this model "
            "was trained on."
        )
    return _assign_splits(samples, base)


def _previous_at_source(base: Path, info: CheckpointInfo) -> SampleSet | None:
    source = Path(str(info.summary.get("source", "")))
    if not source.is_absolute() or not source.is_dir():
        return None
    try:
        return previous_samples(base, info, source)
    except DataError:
        # The user has not asked for the data set in this folder, so that an error is no news.
        return None


def names(categories: Sequence[Category]) -> list[str]:
    """Return the names of categories, in their order."""
    return [c.name for c in categories]


def with_category_of(samples: SampleSet, info: CheckpointInfo) -> tuple[SampleSet, str]:
    """Give masks the categories of a model, where they name the same, or one without a name.

    Returns
    -------
    SampleSet
        The samples; as they are if their categories differ from the model's.
    str
        A note on a category that had no name, else empty.
    """
    ours, theirs = samples.categories, info.categories
    if names(ours) == names(theirs):
        return dataclasses.replace(samples, categories=theirs), ""
    is_one = len(ours) == len(theirs) == 1
    if not is_one or info.model.prompts or not (ours == (UNNAMED,) or ours[0].is_numbered):
        return samples, ""
    note = f"The masks name no category; they are taken for the model's, {theirs[0].name}."
    return dataclasses.replace(samples, categories=theirs), note


def _assign_splits(samples: SampleSet, base: Path) -> SampleSet:
    run = Run(base.parent)
    splits = run.split_of() if (run.folder / "split.json").is_file() else {}
    moved = tuple(
        dataclasses.replace(
            s, name=f"{s.name} (earlier)", split=splits.get(s.name, s.split or "train")
        )
        for s in samples.samples
    )
    return SampleSet(moved, samples.categories, samples.source)


def draw(samples: SampleSet, split: str, count: int, seed: int) -> tuple[Sample, ...]:
    """Draw at most `count` samples of one split at random; return them in their order.

    Parameters
    ----------
    samples : SampleSet
        Samples of all splits.
    split : str
        `train`, `valid` or `test`.
    count : int
        Number of samples to draw.
    seed : int
        Seed of the draw.
    """
    members = [s for s in samples.samples if s.split == split]
    chosen = np.random.default_rng(seed).permutation(len(members))[:count]
    return tuple(members[i] for i in sorted(chosen))
