"""The part of docs/explanation/results.md about how the prompt network is understood."""

from __future__ import annotations

from typing import Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

HEAD = ["slices of", "1 click", "2", "3", "5", "a box", "clicks to 0.90", "harmed"]


def prompts() -> str:
    """Clicks and boxes of an unsteady hand, on slices and carried through scans."""
    records = {r["name"]: r for r in read_records("prompts")}
    if "bundled" not in records:
        return ""
    record = records["bundled"]
    return PROMPTS.format(sets=sets_of(record), carried=carried_of(record))


def sets_of(record: dict[str, Any]) -> str:
    """Table of the sets of slices."""
    rows = [
        [
            f"{name} ({s['slices']})",
            *(f"{score:.3f}" for score in s["clicks"].values()),
            f"{s['box']:.3f}",
            f"{s['to_90']:.1f}",
            f"{s['harmed']:.1%}",
        ]
        for name, s in record["sets"].items()
    ]
    return table(HEAD, rows)


def carried_of(record: dict[str, Any]) -> str:
    """Table of the scans that clicks and boxes were carried through."""
    rows = [
        [name, *(f"{score:.3f}" for kind in ("click", "box") for score in of[kind].values())]
        for name, of in record["carried"].items()
    ]
    return table(["scans of", "1 click", "3 clicks", "1 box", "3 boxes"], rows)


PROMPTS = """\
## The prompt network

Mean Dice on held-out slices after clicks into the middle of the largest error, each off by a normal
deviate of two pixels; after one box with careless sides; the clicks to a Dice of 0.90, ten where
ten do not suffice; the share of clicks that lower the Dice by more than 0.005. BraTS is one patient
with a cavity. `python -m benchmarks.prompts.measure`.

{sets}
One prompt on the largest slice, or three on three, carried through whole scans, Dice of the volume:

{carried}"""
