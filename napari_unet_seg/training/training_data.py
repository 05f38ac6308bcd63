"""The data of a training run in memory, by split."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.data.batches import is_label
from napari_unet_seg.data.cache import build_cache
from napari_unet_seg.data.prompts.empty_samples import without_empty
from napari_unet_seg.data.splits import assign_splits
from napari_unet_seg.data.twins import thumbnails, twin_groups, twin_note
from napari_unet_seg.data.volumes import GridPatches, RandomPatches
from napari_unet_seg.data.volumes import read_volumes as volumes_of
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.io.masks.report import MaskReport
from napari_unet_seg.training.run import LEFT_OUT, Run

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.events import ItemDone

_SPLITS = ("train", "valid")


class TrainingData(NamedTuple):
    """What a run trains and validates on."""

    splits: dict[str, list[Sample]]
    """The samples of each split."""
    items: dict[str, SplitItems]
    """Their pixels."""
    notes: list[str]
    """Notes for the user, on near-duplicates for example."""
    report: MaskReport
    """What is to be known of the masks."""
    left_out: list[Sample]
    """Samples without an object that a network of prompts neither trains nor validates on."""

    @property
    def names(self) -> dict[str, list[str]]:
        """Names of the samples of each split, and of those that are left out, if any."""
        parts = self.splits | ({LEFT_OUT: self.left_out} if self.left_out else {})
        return {name: [s.name for s in members] for name, members in parts.items()}


def read_slices(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, TrainingData]:
    """Read slices, and keep near-duplicates in one split."""
    channels = config.model.in_channels
    cache = yield from build_cache(
        [*samples, *replay], config.image_size, channels, classes, config.normalise
    )
    twins = twin_groups(thumbnails(cache.images)).tolist() if config.twins and samples else None
    split, notes = _split(config, samples, replay, resumed, twins)
    split += _assign_replay(split, replay, twins)
    split, left_out = _with_objects(config, split, cache.masks, resumed)
    items: dict[str, SplitItems] = {
        name: cache.part(np.array([s.split == name for s in split])) for name in _SPLITS
    }
    notes += _left_out_note(left_out)
    return TrainingData(_by_split(split), items, notes, cache.report, left_out)


def read_volumes(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, TrainingData]:
    """Read volumes, which training and validation take patches from."""
    volumes = yield from volumes_of([*samples, *replay], config, classes)
    split, notes = _split(config, samples, replay, resumed, None)
    split += _assign_replay(split, replay, None)
    split, left_out = _with_objects(config, split, (v.mask for v in volumes), resumed)
    parts = {
        name: [v for v, s in zip(volumes, split, strict=True) if s.split == name]
        for name in _SPLITS
    }
    size = (config.patch_slices, config.image_size, config.image_size)
    items: dict[str, SplitItems] = {
        "train": RandomPatches(parts["train"], size),
        "valid": GridPatches(parts["valid"], size),
    }
    report = sum((volume.report for volume in volumes), MaskReport())
    notes += _left_out_note(left_out)
    return TrainingData(_by_split(split), items, notes, report, left_out)


def _assign_replay(
    split: tuple[Sample, ...], replay: Sequence[Sample], twins: list[int] | None
) -> tuple[Sample, ...]:
    """Assign replayed samples to the training split; near-copies of held-out samples to none."""
    if twins is None:
        return tuple(dataclasses.replace(s, split="train") for s in replay)
    held_out = {t for t, s in zip(twins, split, strict=False) if s.split == "valid"}
    return tuple(
        dataclasses.replace(s, split="test" if twin in held_out else "train")
        for s, twin in zip(replay, twins[len(split) :], strict=True)
    )


def _with_objects(
    config: TrainConfig, split: tuple[Sample, ...], masks: Iterable[Array], resumed: Path | None
) -> tuple[tuple[Sample, ...], list[Sample]]:
    """Return the split without the samples that a network of prompts does not use, and these.

    A run that has left out none, as those of older versions, goes on with all.
    """
    if not config.model.prompts or (resumed and LEFT_OUT not in Run(resumed).split()):
        return split, []
    used = without_empty(split, [bool(is_label(mask).any()) for mask in masks])
    left_out = [s for s, now in zip(split, used, strict=True) if s.split != now.split]
    return used, left_out


def _left_out_note(left_out: Sequence[Sample]) -> list[str]:
    if not left_out:
        return []
    samples = counted(len(left_out), "sample")
    return [f"Left out: {samples} without an object, where prompts have nothing to mark."]


def _by_split(split: tuple[Sample, ...]) -> dict[str, list[Sample]]:
    return {name: [s for s in split if s.split == name] for name in _SPLITS}


def _split(
    config: TrainConfig,
    samples: list[Sample],
    replay: Sequence[Sample],
    resumed: Path | None,
    twins: list[int] | None,
) -> tuple[tuple[Sample, ...], list[str]]:
    """Assign the samples to splits; return a note about near-duplicates too."""
    if resumed is not None:
        return _stored_split(Run(resumed), samples, {s.name for s in replay}), []
    twins = twins[: len(samples)] if twins else twins
    split = assign_splits(samples, config.valid_fraction, config.seed, config.group_pattern, twins)
    held_out = [s.split == "valid" for s in split]
    note = twin_note([s.group for s in samples], twins, held_out) if twins else ""
    return split, [note] if note else []


def _stored_split(run: Run, samples: list[Sample], replayed: set[str]) -> tuple[Sample, ...]:
    """Assign the samples to the splits that a run has stored; ignore its replayed samples."""
    splits = run.split_of()
    differing = ({s.name for s in samples} ^ set(splits)) - replayed
    if differing:
        raise DataError(
            f"The run {run.folder} was started with other data ({min(differing)} is only in one of "
            "the two); give the data set of this run, or train a new run."
        )
    return tuple(dataclasses.replace(s, split=splits[s.name]) for s in samples)
