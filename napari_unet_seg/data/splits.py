"""Splits by patient or scan, never by slice; near-duplicates stay in one split."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.twins import join_groups
from napari_unet_seg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.data.samples import Sample


def assign_splits(
    samples: Sequence[Sample],
    valid_fraction: float,
    seed: int,
    group_pattern: str = "",
    twins: Sequence[int] | None = None,
) -> tuple[Sample, ...]:
    """Assign every sample to a split.

    A data set that has a validation split keeps its splits. Otherwise whole groups are drawn at
    random until the fraction of samples is reached; with a single group nothing is held out.

    Parameters
    ----------
    samples : sequence of Sample
        With or without a split.
    valid_fraction : float
        Share of the samples to hold out.
    seed : int
        Seed of the draw.
    group_pattern : str
        Regular expression whose first group is the patient, searched in the name, then in the
        image's path. If it is empty or does not match, `Sample.group` is the group.
    twins : sequence of int, optional
        Numbers of near-duplicates, from `twin_groups`; near-duplicates stay in one split too.

    Raises
    ------
    ConfigError
        If the pattern is not a regular expression or has no group.
    """
    if any(s.split == "valid" for s in samples):
        return tuple(dataclasses.replace(s, split=s.split or "train") for s in samples)
    groups = _groups(samples, group_pattern)
    if twins is not None:
        groups = join_groups(groups, twins)
    open_groups = [g for g, s in zip(groups, samples, strict=True) if s.split != "test"]
    held_out = draw_groups(open_groups, valid_fraction, seed)
    return tuple(
        s
        if s.split == "test"
        else dataclasses.replace(s, split="valid" if g in held_out else "train")
        for g, s in zip(groups, samples, strict=True)
    )


def draw_groups(groups: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Draw whole groups at random until they hold a fraction of the members.

    At least one group is not drawn. At least one group is drawn if there are two or more groups
    and the fraction is above 0.

    Parameters
    ----------
    groups : sequence of str
        Group of each member.
    fraction : float
        Share of the members to draw, in 0…1.
    seed : int
        Seed of the draw.
    """
    names, sizes = np.unique(np.asarray(groups, dtype=object).astype(str), return_counts=True)
    if len(names) < 2 or fraction <= 0:
        return set()
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    count = int(np.count_nonzero(before < fraction * len(groups)))
    return {str(n) for n in names[order[: min(max(count, 1), len(names) - 1)]]}


def _groups(samples: Sequence[Sample], pattern: str) -> list[str]:
    if not pattern:
        return [s.group for s in samples]
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"group_pattern {pattern!r} is not a regular expression ({error}); correct it."
        ) from error
    if not compiled.groups:
        raise ConfigError(
            f"group_pattern {pattern!r} has no group; put the part for the patient in brackets."
        )
    return [_patient(compiled, s) or s.group for s in samples]


def _patient(pattern: re.Pattern[str], sample: Sample) -> str:
    path = sample.image.as_posix() if isinstance(sample.image, Path) else ""
    found = pattern.search(sample.name) or pattern.search(path)
    return found[1] or "" if found else ""
