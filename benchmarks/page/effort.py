"""The section of docs/explanation/results.md on what corrections cost a person."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

Row = dict[str, Any]

WAYS = {
    "brush": "nothing, brush slice by slice",
    "interpolation": "nothing, brush and interpolation",
    "Point and Carry": "nothing, Point and Carry",
    "prediction, brush": "prediction, brush slice by slice",
    "prediction, Point and Carry": "prediction, Point and Carry",
}


def effort() -> str:
    """The section, or nothing where nothing was measured."""
    records = read_records("annotation_effort")
    slices = next((r for r in records if "harm" in r), None)
    before = next((r for r in records if "ways" in r and "harm" not in r), None)
    volumes = next((r for r in records if "volumes" in r), None)
    parts = [
        slices and before and _slices(slices, before),
        slices and _harm(slices),
        volumes and _volumes(volumes["volumes"]),
        *(REPEATABILITY.format_map(r) for r in read_records("repeatability")),
        _curves(read_records("learning")),
    ]
    return "".join(part for part in parts if part)


def _slices(record: Row, before: Row) -> str:
    rows = [
        [
            name,
            f"{way['strokes']:.2f}",
            f"{way['strokes'] / record['ways']['nothing, brush']['strokes']:.0%}",
            f"{way['seconds']:.1f}",
            _used(way["tools"]),
        ]
        for name, way in record["ways"].items()
    ]
    head = ["from, with", "strokes a slice", "of nothing's", "seconds a slice", "uses of each tool"]
    tools = before["ways"]["prediction, tools"]
    brush = before["ways"]["prediction, brush"]
    return SLICES.format(
        slices=record["slices"],
        table=table(head, rows),
        before=before["slices"],
        tools=tools["strokes"],
        brush=brush["strokes"],
    )


def _used(tools: dict[str, int]) -> str:
    most = sorted(tools.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in most)


def _harm(record: Row) -> str:
    rows = [
        [name, f"{row['prompts']}", f"{row['trembling']:.1%}", f"{row['steady']:.1%}"]
        for name, row in record["harm"].items()
    ]
    head = ["prompts", "number", "harm, trembling hand", "harm, steady hand"]
    return HARM.format(slices=record["slices"], table=table(head, rows))


def _volumes(volumes: list[Row]) -> str:
    sets = list(dict.fromkeys(row["set"] for row in volumes))
    rows = [_by_way(name, [r for r in volumes if r["set"] == name]) for name in sets]
    rows.append(_by_way("all", volumes))
    head = ["scans", "number", *WAYS.values()]
    whole = {way: sum(row[way]["seconds"] for row in volumes) for way in WAYS}
    pointed = whole["Point and Carry"]
    return VOLUMES.format(
        table=table(head, rows),
        of_brush=pointed / whole["brush"],
        of_interpolation=pointed / whole["interpolation"],
        median_of_brush=_ratio(volumes, "brush"),
        median_of_interpolation=_ratio(volumes, "interpolation"),
        quick=sum(r["Point and Carry"]["seconds"] <= 0.1 * r["brush"]["seconds"] for r in volumes),
        slower=sum(r["Point and Carry"]["seconds"] > r["brush"]["seconds"] for r in volumes),
        count=len(volumes),
        looking=sum(row["slices"] for row in volumes) / pointed,
    )


def _by_way(name: str, rows: list[Row]) -> list[str]:
    """Seconds in all, and in brackets the medians of seconds and uses."""
    cells = []
    for way in WAYS:
        seconds = [row[way]["seconds"] for row in rows]
        uses = [row[way]["uses"] for row in rows]
        cells.append(f"{sum(seconds):,.0f} ({np.median(seconds):.0f}, {np.median(uses):.0f})")
    return [name, str(len(rows)), *cells]


def _ratio(volumes: list[Row], way: str) -> float:
    """Median share of the seconds of another way that Point and Carry take."""
    shares = [row["Point and Carry"]["seconds"] / row[way]["seconds"] for row in volumes]
    return float(np.median(shares))


def _curves(records: list[dict[str, Any]]) -> str:
    if not records:
        return ""
    count = max(len(each) for r in records for each in r["curves"].values())
    head = ["slices", "model", *(f"{10 * i + 1}–{10 * i + 10}" for i in range(count)), "all"]
    rows = [
        [r["change"], name, *(f"{v:.1f}" for v in each), f"{sum(each) / len(each):.2f}"]
        for r in records
        for name, each in r["curves"].items()
    ]
    return LEARNING.format(table=table(head, rows))


SLICES = """\
## The effort of an annotator

A simulated annotator brings {slices} held-out slices with a tumour to a Dice of 0.95: from nothing
or from the bundled model's mask, by brush, by Point and brush, or with all tools of the window.
Each use counts as a stroke. Always what brings most is done next; the brush is taken where its best
stroke brings more than any prompt. Clicks are off by a normal deviate of two pixels. A click takes
1.5 s, a stroke 3 s, a box 3 s, the way to a slice 1 s. `benchmarks/correction/strokes.py` and
`pointing.py` describe what can be done, `python -m benchmarks.correction.annotation_effort`
measures.

{table}
Before Point, with solvers of boxes and strokes that are deleted since, the tools needed
{tools:.2f} strokes on {before} such slices and the brush {brush:.2f}, as recorded then.
"""

HARM = """
Prompts that make a mask worse, on the {slices} slices: three clicks or strokes one after another,
each to the largest error whatever it brings; a prompt harms that lowers the Dice by over 0.005. In
the window the outline is on screen before a click is made.

{table}"""

VOLUMES = """
Lesions of whole volumes to a Dice of 0.85: seconds in all, and in brackets the medians of seconds
and uses of a tool. By brush each slice is drawn, the worst first; interpolation is between drawn
slices; Point and Carry begin on the largest slice, and go on with the worst. What they do not get
right is done by brush, so that every lesion is finished.

{table}
Point and Carry take {of_brush:.0%} of the brush's seconds and {of_interpolation:.0%} of those of
interpolation, all volumes together; {median_of_brush:.0%} and {median_of_interpolation:.0%} as
medians. On {quick} of {count} volumes they take a tenth of the brush's seconds or less, on {slower}
more than the brush. A look through all slices of the lesions, at a second each, would add
{looking:.0%} to them.
"""

REPEATABILITY = """
The true masks themselves repeat no better: BRISC holds {pairs} slices twice, mirrored, and each of
the two was annotated. One mask reaches a mean Dice of {dice} on the other (median {median}), and
0.95 on {good:.0%} of them. By brush it takes {of_nothing:.0%} of the strokes from nothing to bring
the one to a Dice of 0.95 with the other, so no model can be expected to save more of them on these
data. `python -m benchmarks.correction.repeatability`.
"""

LEARNING = """
Through the queue, worst first by predicted Dice, strokes a slice with the tools of before Point, as
recorded then. Learning means a short fine-tuning after every ten slices, and new predictions for
the rest, as *Learn while correcting* does. On slices that are like those that it was trained on, or
changed in ways that it has seen, the model has nothing to learn; where the annotator draws by
another habit, it learns it. `python -m benchmarks.correction.learning`.

{table}"""
