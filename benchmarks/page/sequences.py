"""The part of docs/explanation/results.md about automatic models on every sequence."""

from __future__ import annotations

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
                steps=record["steps"], table=_table("training", record["variants"])
            )
    return text


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
Short trainings from the bundled model's weights, {steps} steps each, with all parts and without
some of them, on a quarter of the slices. `python -m benchmarks.bundled.ablate_sequences`.

{table}"""
