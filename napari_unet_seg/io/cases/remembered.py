"""Corrections of plans, kept in the user's settings: nothing is written into folders of data."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from napari_unet_seg.io.cases.corrections import Correction, Kind
from napari_unet_seg.io.disk.files import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_VARIABLE = "NAPARI_UNET_SEG_PLANS"
"""Environment variable that names another folder for the corrections."""


def recall_corrections(root: Path) -> dict[str, Correction]:
    """Return the corrections of a folder by the key of an `Entry`; empty if there are none."""
    try:
        return {str(key): _parsed(value) for key, value in _stored(root)["corrections"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Never written, or damaged: the plan is then as it was recognised, and shown.
        return {}


def recall_sequence(root: Path) -> str:
    """Return the sequence that the user chose to see first in a folder; empty for the usual one."""
    try:
        return str(_stored(root).get("sequence") or "")
    except (OSError, ValueError, AttributeError):
        return ""


def remember_corrections(
    root: Path, corrections: Mapping[str, Correction], sequence: str = ""
) -> None:
    """Keep what the user said of a folder for the window and the program; nothing removes it.

    Parameters
    ----------
    root : Path
        The folder.
    corrections : mapping
        Correction by the key of an `Entry`.
    sequence : str
        The sequence that is seen first; empty for the usual one.

    Raises
    ------
    WriteError
        If the settings cannot be written.
    """
    file = _file(root)
    if not corrections and not sequence:
        file.unlink(missing_ok=True)
        return
    rows = {key: {"kind": c.kind, "name": c.name, "case": c.case} for key, c in corrections.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic(file) as path:
        stored = {"folder": str(root.absolute()), "corrections": rows, "sequence": sequence}
        path.write_text(json.dumps(stored, indent=1), encoding="utf-8")


def _stored(root: Path) -> Any:
    return json.loads(_file(root).read_text(encoding="utf-8"))


def _parsed(value: dict[str, str | None]) -> Correction:
    kind = next((kind for kind in get_args(Kind) if kind == value.get("kind")), None)
    return Correction(kind, str(value.get("name") or ""), str(value.get("case") or ""))


def _file(root: Path) -> Path:
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        folder = Path(chosen)
    else:
        import platformdirs

        folder = platformdirs.user_config_path("napari-unet-seg", appauthor=False) / "plans"
    name = sha256(os.path.normcase(os.path.realpath(root)).encode()).hexdigest()[:16]
    return folder / f"{name}.json"
