"""The part of docs/explanation/results.md about automatic models on every sequence."""

from __future__ import annotations

from statistics import mean
from typing import Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

DICE = ("BRISC", "gliomas", "inverted", "LGG FLAIR", "BraTS FLAIR, whole", "BraTS T1c, core")
MARKED = ("healthy heads", "heads with many lesions")


def sequences() -> str:
    """Models on all sets, and short trainings without each part."""
    records = read_records("sequences")
    models = {r["name"]: r for r in records if "variants" not in r}
    if not models:
        return ""
    text = SEQUENCES.format(table=_table("model", models))
    for record in records:
        if "variants" in record:
            text += ABLATION.format(
                steps=record["steps"],
                every=record["every"],
                table=_table("training", record["variants"]),
            )
    return text + "".join(_neighbours(record) for record in read_records("neighbours"))


def _neighbours(record: dict[str, Any]) -> str:
    """What a network finds that sees the slices before and after."""
    rows = [
        [name, *(f"{dice:.3f}" for dice in scores), f"{mean(scores):.3f}"]
        for name, scores in record["dice"].items()
    ]
    head = ["the network sees", *(f"seed {seed}" for seed in record["seeds"]), "mean"]
    return NEIGHBOURS.format(steps=record["steps"], table=table(head, rows))


def _table(what: str, figures: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            name,
            *(f"{found[kind]:.3f}" for kind in DICE),
            f"{found['false']} of {found['healthy']}",
            *(f"{found[kind][0]} of {found[kind][1]}" for kind in MARKED),
        ]
        for name, found in figures.items()
    ]
    return table([what, *DICE, "healthy slices", *MARKED], rows)


SEQUENCES = """\
## Automatic models on every sequence

Mean Dice of slices with a tumour, of LGG's twelve patients that of all their slices together; then
how many slices have a mask where none belongs. Nothing was learnt on LGG and BraTS, the latter one
patient with a cavity. `python -m benchmarks.accuracy.sequences`.

{table}"""

ABLATION = """
Short trainings of {steps} steps, measured on one slice in {every}: from the bundled model's weights
with all parts and without some of them; from random weights, on slices of half the size, by the
network's width. `python -m benchmarks.bundled.ablate_sequences`.

{table}"""

NEIGHBOURS = """
What neighbouring slices are worth ("2.5D"): {steps} steps from the bundled model's weights on
twelve patients of LGG FLAIR, Dice of the twelve others. The bundled model learns from single
slices, so that none of these networks is part of the package.
`python -m benchmarks.accuracy.neighbours`.

{table}"""
