"""Measured figures, kept in the repository so that the pages made of them can be made again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.common.paths import RESULTS
from napari_unet_seg.models import own_name

if TYPE_CHECKING:
    from pathlib import Path


def model_name(model: Path) -> str:
    """What the records call a checkpoint: its name in the package, or that of its run."""
    return own_name(model) or model.parent.name


def record_path(kind: str, name: str) -> Path:
    """Where the figures of a run are kept."""
    return RESULTS / kind / f"{name.replace(',', '').replace(' ', '-')}.json"


def write_record(kind: str, name: str, figures: dict[str, Any], *, keep: bool = True) -> None:
    """Show the figures of a run, and keep them."""
    text = json.dumps(figures, indent=1) + "\n"
    if keep:
        path = record_path(kind, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stdout.flush()


def read_records(kind: str) -> list[dict[str, Any]]:
    """All figures of a kind, in the order of their names."""
    paths = sorted((RESULTS / kind).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
