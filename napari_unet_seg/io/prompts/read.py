"""Reading of prompts: JSON, or a table of points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.prompts.entries import Prompts
from napari_unet_seg.io.prompts.table import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = (".csv", ".tsv", ".txt")
"""Suffixes of tables of points."""
_NOUNS = {
    "objects": "object",
    "points": "point",
    "outside_points": "outside point",
    "strokes": "stroke",
    "outside_strokes": "outside stroke",
    "boxes": "box",
}
_PARTS = {"stroke": "point", "box": "corner"}


def read_prompts(path: Path | str) -> Prompts:
    """Read prompts from JSON, or from a table of points (`.csv`, `.tsv`, `.txt`).

    Raises
    ------
    DataError
        If the file is missing or an entry cannot be used; the message names the entry.
    """
    path = Path(path)
    if path.suffix.lower() in TABLES:
        return read_table(path)
    with reading(path, "JSON"):
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    try:
        return Prompts.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"{path}: {_problem(first)}; correct it there.") from error


def _problem(found: Any) -> str:
    where = entry(found["loc"][:-1]) or "it"
    if found["type"] == "extra_forbidden":
        return f"{where} has the entry {found['loc'][-1]}, which a file of prompts has not"
    if found["type"] == "missing":
        return f"{where} has no {entry(found['loc']).rpartition(', ')[2]}"
    said = found["msg"].removeprefix("Value error, ")
    return f"{entry(found['loc']) or 'its content'}: {said[:1].lower()}{said[1:]}"


def entry(place: Sequence[int | str]) -> str:
    """Return the words for a place in a file: `object 2, stroke 1, point 3`."""
    words: list[str] = []
    noun = "number"
    for part in place:
        if isinstance(part, int):
            words.append(f"{noun} {part + 1}")
            noun = _PARTS.get(noun.removeprefix("outside "), "number")
        elif part in _NOUNS:
            noun = _NOUNS[part]
        else:
            words.append(part)
    return ", ".join(words) if noun == "number" or words else f"{noun}s"
