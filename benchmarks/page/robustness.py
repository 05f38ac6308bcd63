"""The part of docs/explanation/results.md about automatic models on changed images."""

from __future__ import annotations

from typing import Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table


def robustness() -> str:
    """What each model finds after each change, and on the phantoms."""
    records = sorted(read_records("robustness"), key=lambda r: r["name"] != "bundled")
    if not records:
        return ""
    changes = list(records[0]["changes"])
    rows = [[name, *(cell for r in records for cell in _cells(r, name))] for name in changes]
    kinds = ("Dice per slice", "missed", "false positives")
    head = ["slices", *(f"{r['name']}: {kind}" for r in records for kind in kinds)]
    phantoms = "; ".join(
        f"{r['name']} {r['phantoms']['slices']:.3f} on the slices, {r['phantoms']['volume']:.3f} "
        "on the volume"
        for r in records
    )
    return ROBUSTNESS.format(table=table(head, rows), phantoms=phantoms)


def _cells(record: dict[str, Any], change: str) -> list[str]:
    row = record["changes"][change]
    return [f"{row['dice']:.3f}", f"{row['missed']:.1%}", f"{row['false']} of {row['healthy']}"]


ROBUSTNESS = """\
## Automatic models on other images

The held-out slices, changed; false positives are of the healthy ones.
`python -m benchmarks.robustness.images`.

{table}
Dice on the phantoms of `sample_data/`: {phantoms}.
"""
