"""Evaluation of predicted masks against true masks, by group and category."""

from __future__ import annotations

import functools
import re
import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, RESULT_THRESHOLD
from napari_unet_seg.errors import ConfigError, DataError
from napari_unet_seg.evaluation.mask_pairs import (
    FOREGROUND,
    CategoryPairs,
    MaskPair,
    pair_categories,
    to_foreground,
)
from napari_unet_seg.evaluation.mask_sources import MaskSource, open_masks
from napari_unet_seg.evaluation.metrics import Counts, count
from napari_unet_seg.evaluation.surface import hd95
from napari_unet_seg.events import Command, ItemDone
from napari_unet_seg.io.masks.report import MaskReport, report_of
from napari_unet_seg.process.cluster import map_locally

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.process.pending_items import Attempt


@dataclass(frozen=True, slots=True)
class Measure:
    """Metrics of one category in one scan, or in one independent slice."""

    name: str
    group: str
    category: str
    counts: Counts
    hd95: float
    """In the masks' unit; NaN where a mask is empty."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean metrics over the scans of a group; NaN values do not count."""

    group: str
    """Empty for all scans."""
    category: str
    samples: int
    """Number of scans, or of independent slices."""
    empty: int
    """Number of samples where both masks are empty: they have no Dice and are in no mean."""
    dice: float
    iou: float
    precision: float
    recall: float
    hd95: float
    hd95_samples: int
    """Number of samples where neither mask is empty, so that there is a distance."""
    pooled_dice: float
    """Dice of the summed counts of all scans."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of `evaluate`."""

    measures: tuple[Measure, ...]
    summaries: tuple[Summary, ...]
    unit: str
    """Unit of HD95: `mm`, `µm`, `pixel`, or several of them joined by `and`."""
    missing: tuple[str, ...]
    """Names of true masks without a predicted mask."""
    extra: tuple[str, ...]
    """Names of predicted masks without a true mask."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairResult:
    """Metrics of one pair of masks."""

    items: tuple[str, ...]
    """Names of the mask, or of the independent slices in the mask."""
    measures: tuple[Measure, ...]
    unit: str
    predicted: MaskReport
    """What a person should know of the predicted mask."""
    truth: MaskReport
    """What a person should know of the true mask."""
    place: str = ""
    """Sentence on masks that lie in different places, for the user."""


@dataclass(frozen=True, slots=True)
class PairEvaluator:
    """Measures a predicted mask, by its name, in this process or at a worker."""

    predicted: Path
    truth: Path
    pairs: CategoryPairs
    group_pattern: str
    foreground: bool
    threshold: float
    token: str = field(default_factory=secrets.token_hex)
    """Identifies the evaluation, so that a process lists both folders once per evaluation."""

    def __call__(self, name: str) -> PairResult:
        """Read both masks and measure them.

        Raises
        ------
        DataError
            If a mask cannot be read, or the grids differ.
        """
        ours = _masks(self.predicted, self.token, self.truth, self.threshold)
        theirs = _masks(self.truth, self.token)
        pair = MaskPair(name, ours.load(name), theirs.load(theirs.counterpart(ours, name) or name))
        group_of = _Groups(self.group_pattern)
        items: list[str] = []
        measures: list[Measure] = []
        for item, found, true in pair.items():
            items.append(item)
            if self.foreground:
                found, true = to_foreground(found), to_foreground(true)
            measures += measure(item, group_of(item), found, true, self.pairs, pair.spacing)
        reports = _reports(pair)
        return PairResult(tuple(items), tuple(measures), pair.unit, *reports, pair.note)


def _reports(pair: MaskPair) -> tuple[MaskReport, MaskReport]:
    """Return the reports of both masks; only the truth decides on what is not reviewed."""
    ours, theirs = (bool(mask.meta.get("soft")) for mask in (pair.predicted, pair.truth))
    return MaskReport(int(ours)), report_of(np.asarray(pair.truth.data), soft=theirs)


@functools.lru_cache(maxsize=2)
def _masks(path: Path, _token: str, images: Path | None = None, threshold: float = 0) -> MaskSource:
    return open_masks(path, images, threshold)


def evaluate(
    predicted: Path,
    truth: Path,
    group_pattern: str = "",
    *,
    foreground: bool = False,
    threshold: float = RESULT_THRESHOLD,
    attempts: Callable[[PairEvaluator, Sequence[str]], Iterator[Attempt]] = map_locally,
) -> Generator[ItemDone | Evaluation, Command | None, None]:
    """Evaluate predicted masks against true masks of the same names, or of the same cases.

    Parameters
    ----------
    predicted, truth : Path
        Each a folder of masks or of cases, a data set or a COCO file. The predicted masks may be a
        list of results for the images of the truth's COCO file.
    group_pattern : str
        Regular expression on a mask's name; its first group, or else the whole match, names the
        group.
    foreground : bool
        Whether all labels count as one category.
    threshold : float
        Score that a result of a list needs.
    attempts : callable
        Measures the pairs: `map_locally`, or the `map` of a `Cluster`.

    Yields
    ------
    ItemDone or Evaluation
        One `ItemDone` per pair, with a problem if the pair cannot be compared, then the result.

    Raises
    ------
    DataError
        If a source holds no masks, or both sources have no name in common.
    ConfigError
        If the pattern is no regular expression.
    """
    group_of = _Groups(group_pattern)
    ours, theirs = open_masks(predicted, truth, threshold), open_masks(truth)
    paired = {name: theirs.counterpart(ours, name) for name in ours.names}
    order = {name: number for number, name in enumerate(theirs.names)}
    names = sorted((n for n in ours.names if paired[n]), key=lambda n: order[paired[n] or n])
    if not names:
        raise DataError(
            f"No mask in {predicted} has the name of a mask in {truth}; give masks of the same "
            "scans."
        )
    pairs = FOREGROUND if foreground else pair_categories(ours.categories, theirs.categories)
    evaluate_pair = PairEvaluator(predicted, truth, pairs, group_pattern, foreground, threshold)
    done: list[PairResult] = []
    for index, (name, compared, problem) in enumerate(attempts(evaluate_pair, names), 1):
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
        tuple(sorted(set(theirs.names) - {paired[name] for name in names})),
        tuple(sorted(set(ours.names) - set(names))),
        (*pairs.notes, *_notes(done), *(compared.place for compared in done if compared.place)),
    )


def _notes(done: Sequence[PairResult]) -> tuple[str, ...]:
    predicted = sum((compared.predicted for compared in done), MaskReport())
    truth = sum((compared.truth for compared in done), MaskReport())
    return (*predicted.notes("predicted "), *truth.notes("true "))


class _Groups:
    """Finds the group of a mask's name."""

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
    pairs: CategoryPairs,
    spacing: tuple[float, ...],
) -> Iterator[Measure]:
    """Measure every category of one item; pixels unreviewed in the truth do not count.

    Parameters
    ----------
    item, group : str
        Names of the item and of its group.
    found, true : array
        Predicted and true label values, of one shape.
    pairs : CategoryPairs
        Categories to compare.
    spacing : tuple of float
        Voxel size along each axis.
    """
    reviewed = true != IGNORE_INDEX
    for pair in pairs.of(found, true):
        ours = (found == pair.predicted) & reviewed
        theirs = true == pair.truth
        # Unreviewed pixels stay marked in the truth, so that `count` leaves them out.
        counts = count(ours, np.where(reviewed, theirs, IGNORE_INDEX), 1)
        yield Measure(item, group, pair.category, counts, hd95(ours, theirs, spacing))


def summarise(measures: Sequence[Measure], groups: dict[str, str]) -> tuple[Summary, ...]:
    """Compute the mean metrics of all scans, then of each group, by category.

    Parameters
    ----------
    measures : sequence of Measure
        Metrics of the items; an item without a category counts as empty in this category.
    groups : dict
        Group of every item, by the item's name; an empty string is no group.
    """
    categories = list(dict.fromkeys(m.category for m in measures))
    samples = Counter({"": len(groups)})
    samples.update(own for own in groups.values() if own)
    members: defaultdict[tuple[str, str], list[Measure]] = defaultdict(list)
    for measure in measures:
        for group in {"", measure.group}:
            members[group, measure.category].append(measure)
    return tuple(
        _summary(group, category, members.get((group, category), []), samples[group])
        for group in ("", *sorted(samples.keys() - {""}))
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
