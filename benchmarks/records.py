"""Measured figures, kept in the repository so that the pages made of them can be made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def record_path(kind: str, name: str) -> Path:
    """Where the figures of a run are kept."""
    return FOLDER / kind / f"{name.replace(',', '').replace(' ', '-')}.json"


def write_record(kind: str, name: str, figures: dict[str, Any]) -> None:
    """Keep the figures of a run, and show them."""
    path = record_path(kind, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stdout.flush()


def read_records(kind: str) -> list[dict[str, Any]]:
    """All figures of a kind, in the order of their names."""
    paths = sorted((FOLDER / kind).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
