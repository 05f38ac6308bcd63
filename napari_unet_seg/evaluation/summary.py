"""Mean metrics of many scans, by group and category."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.evaluation.metrics import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.evaluation.measure import Measure


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
