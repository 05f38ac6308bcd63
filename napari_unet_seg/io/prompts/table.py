"""Prompts as a table of points, a row each, as spreadsheets save them."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.prompts.entries import ObjectPrompts, Prompts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.io.prompts.entries import Point

VOXELS, WORLD = ("x", "y", "z", "t"), ("x_mm", "y_mm", "z_mm", "t")
"""Columns of the coordinates."""
OTHERS = ("category", "object", "inside")
_YES, _NO = ("1", "yes", "true", "inside"), ("0", "no", "false", "outside")
_SEPARATORS = ",;\t"


def read_table(path: Path) -> Prompts:
    """Read a table with a first row of names: `x`, `y`, `z` or `x_mm`, `y_mm`, `z_mm`.

    Further columns may be `t`, `category`, `object` (rows of one name mark one object; without a
    name each row marks its own) and `inside` (`yes` or `no`). Columns of other names are left out.

    Raises
    ------
    DataError
        If columns are missing or a value cannot be used; the message names the row.
    """
    with reading(path, "a table of points"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    separator = max(_SEPARATORS, key=(lines or [""])[0].count)
    rows = list(csv.DictReader(lines, delimiter=separator, skipinitialspace=True))
    names = _coordinates(path, tuple(rows[0]) if rows else ())
    objects: dict[str, ObjectPrompts] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}: row {number}"
        point = tuple(_number(row, name, where) for name in names)
        key = (row.get("object") or "").strip() or f"row {number}"
        objects[key] = _with_point(objects.get(key), row, point, where)
    kind = "world" if names[0] == WORLD[0] else "voxel"
    return Prompts(coordinates=kind, objects=tuple(objects.values()))


def _coordinates(path: Path, columns: Sequence[str]) -> list[str]:
    for names in (VOXELS, WORLD):
        if set(names[:2]) <= set(columns):
            return [name for name in names if name in columns]
    raise DataError(
        f"{path} has no points with columns x and y, or x_mm, y_mm and z_mm; name the columns in "
        "its first row."
    )


def _number(row: Mapping[str, str | None], name: str, where: str) -> float:
    text = (row[name] or "").strip()
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where} has {text or 'nothing'} as {name}; give a number there.")
    return value


def _with_point(
    known: ObjectPrompts | None, row: Mapping[str, str | None], point: Point, where: str
) -> ObjectPrompts:
    """Return an object with the point of one more row."""
    category, inside = ((row.get(name) or "").strip() for name in ("category", "inside"))
    one = known or ObjectPrompts(category=category or "object")
    if category and category != one.category:
        raise DataError(
            f"{where} has the category {category} and its object {one.category} before; give it "
            "an object of its own."
        )
    if inside.casefold() in _NO:
        return one.replace(outside_points=(*one.outside_points, point))
    if inside and inside.casefold() not in _YES:
        raise DataError(f"{where} has {inside} as inside; give yes or no there.")
    return one.replace(points=(*one.points, point))
