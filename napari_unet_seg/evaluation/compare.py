"""Two masks of one scan side by side: overlap, distance and size of each category."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.evaluation.evaluate import Measure, measure
from napari_unet_seg.evaluation.mask_pairs import (
    FOREGROUND,
    Pair,
    Side,
    pair_categories,
    to_foreground,
)
from napari_unet_seg.evaluation.metrics import Counts
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.files import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[Any]]

__all__ = [
    "Comparison",
    "Row",
    "Side",
    "check_grids",
    "compare_masks",
    "plane_of",
    "whole_of",
    "write_csv",
]

_IN_MM = {"mm": 1.0, "µm": 1e-3}
_COLUMNS = (
    *("a", "b", "part", "category", "dice", "iou", "hd95", "hd95_unit"),
    *("size_a", "size_b", "size_unit", "mean_of"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One category of two masks A and B."""

    category: str
    """Empty for all categories taken as one."""
    counts: Counts
    """A as the found, B as the true one; pixels unreviewed in either are in none."""
    hd95: float
    """In `Comparison.unit`, NaN where a mask is empty; the mean of what is `Comparison.mean_of`."""
    size_a: float
    """In `Comparison.size_unit`, as is that of B; without unreviewed pixels, and a mean too."""
    size_b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of two masks."""

    a: str
    b: str
    rows: tuple[Row, ...]
    """One for each category, and the last one for all."""
    unit: str
    """Of distances: `mm`, `µm` or `pixel`, of which the finest axis is measured in."""
    size_unit: str
    """`ml` of volumes and `mm²` of slices; `pixels` where the voxel size is unknown."""
    mean_of: int = 1
    """How many volumes of a series, or independent slices, distances and sizes are the mean of."""


def check_grids(a: Side, b: Side) -> None:
    """Raise DataError, with both grids, unless two masks are on the same one."""
    _pair(a, b)


def compare_masks(a: Side, b: Side) -> Iterator[ItemDone | Comparison]:
    """Compare two masks by category, and by all categories taken as one.

    Categories are paired by name where the masks share one, else by label value.

    Yields
    ------
    ItemDone or Comparison
        One `ItemDone` for each category of a volume or of an independent slice, then the result.

    Raises
    ------
    DataError
        If the grids differ.
    """
    pair = _pair(a, b)
    pairings = pair_categories(a.categories, b.categories)
    items = list(pair.items())
    steps = len(items) * (len(pairings.known) + 1)
    found: list[Measure] = []
    for name, ours, theirs in items:
        unknown = (ours == IGNORE_INDEX) | (theirs == IGNORE_INDEX)
        theirs = np.where(unknown, IGNORE_INDEX, theirs)
        each = measure(name, "", ours, theirs, pairings, pair.spacing)
        for measured in chain(each, _all_in_one(ours, theirs, pair.spacing)):
            found.append(measured)
            yield ItemDone(min(len(found), steps), steps, name)
    scale, size_unit = _size(pair.spacing, pair.unit)
    categories = [*dict.fromkeys(m.category for m in found if m.category), ""]
    share = scale / len(items)
    rows = (_row([m for m in found if m.category == name], share) for name in categories)
    yield Comparison(a.name, b.name, tuple(rows), pair.unit, size_unit, len(items))


def plane_of(side: Side, place: tuple[int, ...]) -> Side:
    """Return one slice of a mask as a mask of its own, its pixels copied."""
    scan = side.scan
    plane = replace(
        scan,
        data=np.array(scan.data[place]),
        axes=scan.axes[-2:],
        spacing=scan.spacing[-2:],
        names=(),
        affine=None,
        meta={},
    )
    return side._replace(scan=plane)


def whole_of(side: Side) -> Side:
    """Return a mask with its pixels copied, so that one may go on painting."""
    return side._replace(scan=replace(side.scan, data=np.array(side.scan.data)))


def write_csv(path: Path | str, comparison: Comparison, part: str) -> None:
    """Write the figures as a table, one row a category; what has no value is left empty.

    Parameters
    ----------
    path : Path
        File to write, whole or not at all.
    comparison : Comparison
        What was compared.
    part : str
        The slice that it was, or that it was the whole scan.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(_cells(comparison, row, part) for row in comparison.rows)


def _cells(comparison: Comparison, row: Row, part: str) -> list[str]:
    figures = [_figure(v) for v in (row.counts.dice, row.counts.iou, row.hd95)]
    sizes = [_figure(v) for v in (row.size_a, row.size_b)]
    names = [comparison.a, comparison.b, part, row.category or "all"]
    units = comparison.unit, comparison.size_unit
    return [*names, *figures, units[0], *sizes, units[1], str(comparison.mean_of)]


def _figure(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _pair(a: Side, b: Side) -> Pair:
    return Pair("", a.scan, b.scan, (f"mask {a.name}", f"mask {b.name}"))


def _all_in_one(ours: Array, theirs: Array, spacing: tuple[float, ...]) -> Iterator[Measure]:
    ours, theirs = to_foreground(ours), to_foreground(theirs)
    for measured in measure("", "", ours, theirs, FOREGROUND, spacing):
        yield replace(measured, category="")


def _row(measures: Sequence[Measure], scale: float) -> Row:
    counts = sum((m.counts for m in measures), Counts(0, 0, 0, 0))
    distances = [m.hd95 for m in measures if math.isfinite(m.hd95)]
    return Row(
        measures[0].category,
        counts,
        float(np.mean(distances)) if distances else math.nan,
        scale * (counts.tp + counts.fp),
        scale * (counts.tp + counts.fn),
    )


def _size(spacing: tuple[float, ...], unit: str) -> tuple[float, str]:
    """Return the size of a voxel, and its unit."""
    if unit not in _IN_MM:
        return 1.0, "pixels"
    size = math.prod(_IN_MM[unit] * step for step in spacing)
    return (size / 1000, "ml") if len(spacing) == 3 else (size, "mm²")
