"""The section of docs/explanation/results.md on masks made from rough marks: boxes and strokes."""

from __future__ import annotations

from typing import Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

Row = dict[str, Any]


def marks() -> str:
    """The section, or nothing where nothing was measured."""
    boxes, strokes = (
        next((r for r in read_records(kind) if r["split"] == "valid"), None)
        for kind in ("box_outline", "scribble")
    )
    return "\n".join(part for part in (_boxes(boxes), _strokes(strokes)) if part)


def _boxes(record: Row | None) -> str:
    if not record:
        return ""
    head = ["from the box", "IoU", "median", "IoU below 0.5", "not found", "careless box"]
    rows = [
        [
            name,
            f"{r['iou']:.3f}",
            f"{r['median']:.3f}",
            f"{r['below_half']:.1%}",
            f"{r['not_found']:.3f}",
            f"{r['careless']:.3f}",
        ]
        for name, r in record["methods"].items()
    ]
    return BOXES.format(table=table(head, rows), **record)


def _strokes(record: Row | None) -> str:
    if not record:
        return ""
    count = len(next(iter(record["methods"].values()))["iou"])
    head = ["strokes", *map(str, range(count)), "strokes that harm"]
    rows = [
        [name, *(f"{score:.3f}" for score in r["iou"]), f"{r['worse']:.1%}"]
        for name, r in record["methods"].items()
    ]
    return STROKES.format(table=table(head, rows), **record)


BOXES = """\
## A mask from a box

The {slices} held-out slices of BRISC with a tumour; the box is that of the true mask. IoU with the
true mask, mean and median. `not found`: the mean over the {not_found} slices where the model finds
less than a tenth of the box; `careless box`: the sides moved at random by a twentieth of the box.
GrabCut is OpenCV's, started from the rectangle, and with all help that raised it on training
slices. `python -m benchmarks.correction.box_outline`.

{table}"""

STROKES = """\
## A mask from strokes

{slices} held-out slices of BRISC: the bundled model's mask, and the mean IoU with the true one
after each of three strokes, three pixels wide, along the middle of what is most wrong; a stroke
harms that lowers the IoU by 0.005. `python -m benchmarks.correction.scribble`.

{table}"""
