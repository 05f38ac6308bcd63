"""The parts of docs/results.md about prediction and correction."""

from __future__ import annotations

from typing import Any

from markdown_table import table
from records import read_records

WAYS = ("published", "monai", "openvino_float32", "openvino")
NAMES = {
    "published": "published project's way",
    "monai": "MONAI",
    "openvino_float32": "OpenVINO, float32",
    "openvino": "OpenVINO, its default",
}


def prediction() -> str:
    rows = [
        _case(record["name"], case, figures)
        for record in read_records("predict")
        for case, figures in record["cases"].items()
    ]
    if not rows:
        return ""
    head = ["machine", "pixels", "this package", *(NAMES[way] for way in WAYS)]
    return PREDICTION.format(table=table([*head, "peak memory"], rows))


def _case(machine: str, case: str, figures: dict[str, Any]) -> list[str]:
    ours = figures["ours"]
    times = [f"**{ours['ms']:.0f} ms**"]
    memory = [f"{ours['peak_mib']}"]
    for way in WAYS:
        there = figures.get(way)
        times.append(f"{there['ms']:.0f} ms ({there['ms'] / ours['ms']:.2f}×)" if there else "–")
        memory.append(f"{there['peak_mib']}" if there else "–")
    return [machine, case, *times, " / ".join(memory) + " MiB"]


def effort() -> str:
    found = {"ways" if "ways" in r else "curves": r for r in read_records("annotation_effort")}
    if "ways" not in found:
        return ""
    rows = [
        [name, f"{w['strokes']:.2f}", f"{w['of_nothing']:.0%}", f"{w['pixels']:,.0f}"]
        for name, w in found["ways"]["ways"].items()
    ]
    head = ["from, with", "strokes a slice", "of nothing's", "pixels painted over"]
    text = EFFORT.format(slices=found["ways"]["slices"], table=table(head, rows))
    return text + (_curves(found["curves"]) if "curves" in found else "")


def _curves(record: dict[str, Any]) -> str:
    count = len(next(iter(record["curves"].values())))
    head = ["slices, worst first", *(f"{10 * i + 1}–{10 * i + 10}" for i in range(count))]
    rows = [[name, *(f"{v:.2f}" for v in each)] for name, each in record["curves"].items()]
    return LEARNING.format(table=table(head, rows))


PREDICTION = """\
## Speed of prediction

The same weights (the bundled ones) on the same pixels: a slice of 256×256, one of 640×640, a volume
of 155×240×240. In brackets how many times longer than this package it takes. Each way in a process
of its own, in turns in one run, medians; peak memory in the order of the columns, torch or OpenVINO
itself included. `python benchmarks/predict.py`.

{table}"""

EFFORT = """\
## The effort of an annotator

A simulated annotator brings {slices} held-out slices with a tumour to a Dice of 0.95: from nothing
or from the bundled model's mask, by brush or with the tools of the window, each use of which counts
as a stroke. `benchmarks/strokes.py` describes the strokes, `python benchmarks/annotation_effort.py`
measures.

{table}"""

LEARNING = """
Through the queue, worst first by predicted Dice, strokes a slice with the tools; learning means a
short fine-tuning after every ten slices, and new predictions for the rest.

{table}"""
