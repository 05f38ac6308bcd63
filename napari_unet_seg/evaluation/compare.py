"""Comparison of two masks of one scan: overlap, distance and size of each category."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.evaluation.mask_pairs import (
    FOREGROUND,
    MaskPair,
    NamedMask,
    pair_categories,
    to_foreground,
)
from napari_unet_seg.evaluation.measure import Measure, measure
from napari_unet_seg.evaluation.metrics import Counts
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.places import of_part
from napari_unet_seg.io.disk.files import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part


_IN_MM = {"mm": 1.0, "µm": 1e-3}
_COLUMNS = (
    *("a", "b", "part", "category", "dice", "iou", "hd95", "hd95_unit"),
    *("size_a", "size_b", "size_unit", "mean_of"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Metrics of one category of two masks A and B."""

    category: str
    """Name of the category; empty for all categories as one."""
    counts: Counts
    """With A as the predicted and B as the true mask; pixels unreviewed in A or B do not count."""
    hd95: float
    """Mean over the parts in `MaskComparison.unit`; NaN if one of the masks is always empty."""
    size_a: float
    """Mean size over the parts in `MaskComparison.size_unit`, without unreviewed pixels."""
    size_b: float
    """Size of the category in B, likewise."""


@dataclass(frozen=True, slots=True)
class MaskComparison:
    """Metrics of two masks A and B."""

    a: str
    """Name of mask A."""
    b: str
    """Name of mask B."""
    rows: tuple[Row, ...]
    """One row per category, and a last row for all categories as one."""
    unit: str
    """Unit of distances: `mm`, `µm`, or `pixel` of the finest axis."""
    size_unit: str
    """`ml` for volumes, `mm²` for slices, `pixels` if the voxel size is unknown."""
    mean_of: int = 1
    """Number of parts, volumes or independent slices, that distances and sizes are means of."""
    unreviewed: int = 0
    """Number of pixels that are unreviewed in A or B."""


def check_grids(a: NamedMask, b: NamedMask) -> None:
    """Check that two masks are on the same grid.

    Raises
    ------
    DataError
        If the grids or the orientations differ; the message names both grids.
    """
    _pair(a, b)


def compare_masks(a: NamedMask, b: NamedMask) -> Iterator[ItemDone | MaskComparison]:
    """Compare two masks by category, and with all categories as one.

    Categories are paired by name if both masks have a name in common, else by label value.

    Yields
    ------
    ItemDone or MaskComparison
        One `ItemDone` for each category of a volume or of an independent slice, then the result.

    Raises
    ------
    DataError
        If the grids differ.
    """
    pair = _pair(a, b)
    pairs = pair_categories(a.categories, b.categories)
    items = list(pair.items())
    steps = len(items) * (len(pairs.pairs) + 1)
    measures: list[Measure] = []
    left_out = 0
    for name, ours, theirs in items:
        unreviewed = (ours == IGNORE_INDEX) | (theirs == IGNORE_INDEX)
        left_out += int(np.count_nonzero(unreviewed))
        theirs = np.where(unreviewed, IGNORE_INDEX, theirs)
        each = measure(name, "", ours, theirs, pairs, pair.spacing)
        for measured in chain(each, _measure_foreground(ours, theirs, pair.spacing)):
            measures.append(measured)
            yield ItemDone(min(len(measures), steps), steps, name)
    scale, size_unit = _size(pair.spacing, pair.unit)
    categories = [*dict.fromkeys(m.category for m in measures if m.category), ""]
    share = scale / len(items)
    rows = (_row([m for m in measures if m.category == name], share) for name in categories)
    yield MaskComparison(a.name, b.name, tuple(rows), pair.unit, size_unit, len(items), left_out)


def extract_plane(mask: NamedMask, part: Part) -> NamedMask:
    """Return a copy of one plane of a mask.

    Parameters
    ----------
    mask : NamedMask
        The mask.
    part : tuple of int or slice
        Index of the plane: the place of a slice, or another plane of a volume.
    """
    scan = mask.scan
    plane = replace(
        scan,
        data=np.array(scan.data[part]),
        axes="".join(of_part(scan.axes, part)),
        spacing=of_part(scan.spacing, part),
        names=(),
        affine=None,
        meta={},
    )
    return mask._replace(scan=plane)


def copy_mask(mask: NamedMask) -> NamedMask:
    """Return a mask with a copy of its pixels, so that the original can be painted on meanwhile."""
    return mask._replace(scan=replace(mask.scan, data=np.array(mask.scan.data)))


def write_csv(path: Path | str, comparison: MaskComparison, part: str) -> None:
    """Write the metrics as a CSV table with one row per category; NaN becomes an empty cell.

    Parameters
    ----------
    path : Path
        The file, which is written atomically.
    comparison : MaskComparison
        The metrics.
    part : str
        Name of the slice that was compared, or of the whole scan.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(_cells(comparison, row, part) for row in comparison.rows)


def _cells(comparison: MaskComparison, row: Row, part: str) -> list[str]:
    metrics = [_cell(v) for v in (row.counts.dice, row.counts.iou, row.hd95)]
    sizes = [_cell(v) for v in (row.size_a, row.size_b)]
    names = [comparison.a, comparison.b, part, row.category or "all"]
    units = comparison.unit, comparison.size_unit
    return [*names, *metrics, units[0], *sizes, units[1], str(comparison.mean_of)]


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _pair(a: NamedMask, b: NamedMask) -> MaskPair:
    return MaskPair("", a.scan, b.scan, (f"mask {a.name}", f"mask {b.name}"))


def _measure_foreground(
    ours: Array, theirs: Array, spacing: tuple[float, ...]
) -> Iterator[Measure]:
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
    """Return the size of a voxel, and the unit of the size."""
    if unit not in _IN_MM:
        return 1.0, "pixels"
    size = math.prod(_IN_MM[unit] * step for step in spacing)
    return (size / 1000, "ml") if len(spacing) == 3 else (size, "mm²")
