"""Predicted masks against true ones: counts first, then figures, by group and category."""

from __future__ import annotations

import functools
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import ConfigError, DataError
from napari_unet_seg.evaluation.mask_pairs import (
    FOREGROUND,
    Pair,
    Pairings,
    pair_categories,
    to_foreground,
)
from napari_unet_seg.evaluation.mask_sources import MaskSource, open_masks
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.evaluation.surface import hd95
from napari_unet_seg.events import Command, ItemDone
from napari_unet_seg.process.cluster import one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.process.cluster import Attempt


Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One category in one scan, or in one of independent slices."""

    name: str
    group: str
    category: str
    counts: Counts
    hd95: float
    """In the masks' unit; NaN where a mask is empty."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over the scans of a group; NaN figures are left out of their mean."""

    group: str
    """Empty for all scans."""
    category: str
    samples: int
    """Scans, or independent slices."""
    empty: int
    """Of these, with both masks empty: they have no Dice, and no part in the means."""
    dice: float
    iou: float
    precision: float
    recall: float
    hd95: float
    hd95_samples: int
    """With a surface in both masks, so that there is a distance between them."""
    pooled_dice: float
    """Of the counts of all scans together."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of `evaluate`."""

    measures: tuple[Measure, ...]
    summaries: tuple[Summary, ...]
    unit: str
    """Of HD95: `mm`, `µm`, `pixel`, or several of them."""
    missing: tuple[str, ...]
    """True masks without a predicted one."""
    extra: tuple[str, ...]
    """Predicted masks without a true one."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One mask against the true one."""

    items: tuple[str, ...]
    """The mask, or the independent slices in it."""
    measures: tuple[Measure, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares the masks of one name, in this process or at a worker."""

    predicted: Path
    truth: Path
    pairings: Pairings
    group_pattern: str
    foreground: bool
    token: str = field(default_factory=secrets.token_hex)
    """Of this evaluation, for which a process lists either side once."""

    def __call__(self, name: str) -> Compared:
        """Read both masks and measure them.

        Raises
        ------
        DataError
            If one cannot be read, or their grids differ.
        """
        ours, theirs = (_masks(side, self.token) for side in (self.predicted, self.truth))
        pair = Pair(name, ours.load(name), theirs.load(name))
        group_of = _Groups(self.group_pattern)
        items: list[str] = []
        measures: list[Measure] = []
        for item, found, true in pair.items():
            items.append(item)
            if self.foreground:
                found, true = to_foreground(found), to_foreground(true)
            measures += measure(item, group_of(item), found, true, self.pairings, pair.spacing)
        return Compared(tuple(items), tuple(measures), pair.unit)


@functools.lru_cache(maxsize=2)
def _masks(path: Path, _token: str) -> MaskSource:
    return open_masks(path)


def evaluate(
    predicted: Path,
    truth: Path,
    group_pattern: str = "",
    *,
    foreground: bool = False,
    attempts: Callable[[Comparison, Sequence[str]], Iterator[Attempt]] = one_by_one,
) -> Generator[ItemDone | Evaluation, Command | None, None]:
    """Compare masks of the same names.

    Parameters
    ----------
    predicted, truth : Path
        Each a folder of masks, a data set or a COCO file.
    group_pattern : str
        Regular expression on a mask's name; its first group, or else the whole match, names the
        group.
    foreground : bool
        Take all labels for one category.
    attempts : callable
        Where the masks are compared; a cluster's `map` shares them out.

    Yields
    ------
    ItemDone or Evaluation
        One `ItemDone` a pair, with the problem of those that cannot be compared, then the result.

    Raises
    ------
    DataError
        If a side holds no masks, or no mask of one has the name of one of the other.
    ConfigError
        If the pattern is no regular expression.
    """
    group_of = _Groups(group_pattern)
    ours, theirs = open_masks(predicted), open_masks(truth)
    both = set(ours.names) & set(theirs.names)
    names = [name for name in theirs.names if name in both]
    if not names:
        raise DataError(
            f"No mask in {predicted} has the name of one in {truth}; give masks of the same scans."
        )
    pairings = FOREGROUND if foreground else pair_categories(ours.categories, theirs.categories)
    comparison = Comparison(predicted, truth, pairings, group_pattern, foreground)
    done: list[Compared] = []
    for index, (name, compared, problem) in enumerate(attempts(comparison, names), 1):
        if compared is not None:
            done.append(compared)
        if (yield ItemDone(index, len(names), name, problem)) is Command.STOP:
            return
    measures = [m for compared in done for m in compared.measures]
    items = [item for compared in done for item in compared.items]
    units = {compared.unit for compared in done}
    yield Evaluation(
        tuple(measures),
        summarise(measures, {item: group_of(item) for item in items}),
        " and ".join(sorted(units)) or "pixel",
        tuple(sorted(set(theirs.names) - both)),
        tuple(sorted(set(ours.names) - both)),
        pairings.notes,
    )


class _Groups:
    """The group of a name."""

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ConfigError(
                f"The group {pattern!r} is no regular expression ({error}); correct it."
            ) from error

    def __call__(self, name: str) -> str:
        match = self._pattern.search(name) if self._pattern.pattern else None
        return "" if match is None else str(match[1 if self._pattern.groups else 0] or "")


def measure(
    item: str,
    group: str,
    found: Array,
    true: Array,
    pairings: Pairings,
    spacing: tuple[float, ...],
) -> Iterator[Measure]:
    """Count and measure every category of one item; pixels unreviewed in the truth are left out."""
    known = true != IGNORE_INDEX
    for pairing in pairings.of(found, true):
        ours = (found == pairing.predicted) & known
        theirs = true == pairing.truth
        # Unreviewed pixels keep their value in the truth, and are left out of the counts.
        counts = count(ours, np.where(known, theirs, IGNORE_INDEX), 1)
        yield Measure(item, group, pairing.category, counts, hd95(ours, theirs, spacing))


def summarise(measures: Sequence[Measure], groups: dict[str, str]) -> tuple[Summary, ...]:
    """Mean figures of all scans, then of each group, by category.

    Parameters
    ----------
    measures : sequence of Measure
        What was counted; a category that an item lacks is empty there.
    groups : dict
        Group of every item, by its name; the empty one is no group.
    """
    categories = list(dict.fromkeys(m.category for m in measures))
    chosen = ["", *sorted(set(groups.values()) - {""})]
    return tuple(
        _summary(
            group,
            category,
            [m for m in measures if m.category == category and group in ("", m.group)],
            sum(group in ("", own) for own in groups.values()),
        )
        for group in chosen
        for category in categories
    )


def _summary(group: str, category: str, measures: Sequence[Measure], samples: int) -> Summary:
    present = [m for m in measures if m.counts.tp + m.counts.fp + m.counts.fn]
    distances = [m.hd95 for m in present if np.isfinite(m.hd95)]
    total = sum((m.counts for m in present), Counts(0, 0, 0, 0))
    return Summary(
        group,
        category,
        samples,
        samples - len(present),
        _mean([m.counts.dice for m in present]),
        _mean([m.counts.iou for m in present]),
        _mean([m.counts.precision for m in present]),
        _mean([m.counts.recall for m in present]),
        _mean(distances),
        len(distances),
        total.dice,
    )


def _mean(values: Sequence[float]) -> float:
    finite = [v for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else float("nan")
