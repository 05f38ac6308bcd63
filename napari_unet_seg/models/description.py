"""How a model is called in lists: by its case and its date, with its Dice."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.models import OWN, own_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo

_TIME = re.compile(r"\d{4}-\d\d-\d\d-\d{6}")
"""The name that a run's folder gets if the user gives none."""
_LONGEST = 28
"""Characters of a name; a longer one is cut in its middle."""


def session_of(model: Path) -> Path | None:
    """Return the folder of the session whose round of fine-tuning made a model, else None."""
    parents = model.parents
    return parents[2] if len(parents) > 2 and parents[1].name == "rounds" else None


def model_name(model: Path, *, dated: bool = True) -> str:
    """Return the name of a model: its case, or the data of its training, and its date.

    Parameters
    ----------
    model : Path
        A checkpoint; the name of a file that cannot be read has no date.
    dated : bool
        Whether the date is part of the name.
    """
    if own := own_name(model):
        return OWN[own].title
    if session := session_of(model):
        parts = [_short(session.name), f"round {int(model.parent.name)}"]
    elif model.stem not in ("best", "last"):
        parts = [_short(model.stem)]
    elif _TIME.fullmatch(model.parent.name):
        parts = [_short(_source(model) or model.parent.name)]
    else:
        parts = [_short(model.parent.name)]
    return " · ".join((*parts, *(_date(model) if dated else ())))


def listed_name(model: Path) -> str:
    """Return the name of a model with its Dice, and how many samples that is the Dice of.

    A model of the package is listed with what it finds and where, which its name does not tell.
    """
    parts = [model_name(model)]
    try:
        info = read_header(model)
    except CheckpointError:
        return parts[0]
    if own := own_name(model):
        parts.append(f"finds {found_by(info)} {OWN[own].where}")
    return " · ".join(filter(None, [*parts, dice_text(info)]))


def found_by(info: CheckpointInfo) -> str:
    """Return what a model finds: its categories, or what it is prompted for."""
    if info.model.prompts:
        return "what prompts mark"
    return ", ".join(category.name for category in info.categories)


def dice_text(info: CheckpointInfo) -> str:
    """Return a model's Dice and the number of held-out samples; empty if nothing was held out."""
    if (dice := info.own_dice) is None:
        return ""
    noun, count = "volume" if info.model.dimensions == 3 else "slice", info.summary.get("valid")
    number = "" if count is None else f"{count} "
    return f"Dice {dice:.2f} on {number}held-out {noun}{'' if count == 1 else 's'}"


def _source(model: Path) -> str:
    try:
        source = str(read_header(model).summary.get("source", ""))
    except CheckpointError:
        return ""
    return Path(source.removeprefix("session ")).name


def _date(model: Path) -> tuple[str, ...]:
    try:
        return (datetime.fromtimestamp(model.stat().st_mtime).strftime("%Y-%m-%d"),)
    except OSError:
        return ()


def _short(name: str) -> str:
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}"
