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
                seeds=len(record["seeds"]),
                table=_table("training", record["variants"]),
            )
    text += _whole_scans(read_records("volumes"))
    text += "".join(_carried(record) for record in read_records("carried_parts"))
    text += "".join(_neighbours(record) for record in read_records("neighbours"))
    return text + "".join(_smoothing(record) for record in read_records("smoothing"))


def _whole_scans(records: list[dict[str, Any]]) -> str:
    """What becomes of the masks of whole scans."""
    rows = []
    for record in records:
        for way, found in record["sets"]["LGG FLAIR"].items():
            marked = f"{found['marked']} of {found['slices without']}"
            rows.append([record["name"], way, f"{found['dice']:.3f}", marked])
    head = ["model", "mask", "LGG FLAIR", "slices without a lesion"]
    return WHOLE_SCANS.format(table=table(head, rows)) if rows else ""


def _carried(record: dict[str, Any]) -> str:
    """What other ways of carrying are worth."""
    rows = [[way, f"{dice:.3f}"] for way, dice in record["dice"].items()]
    return CARRIED.format(name=record["name"], table=table(["carried", "mean Dice"], rows))


def _neighbours(record: dict[str, Any]) -> str:
    """What a network finds that sees the slices before and after."""
    rows = [
        [name, *(f"{dice:.3f}" for dice in scores), f"{mean(scores):.3f}"]
        for name, scores in record["dice"].items()
    ]
    head = ["the network sees", *(f"seed {seed}" for seed in record["seeds"]), "mean"]
    return NEIGHBOURS.format(steps=record["steps"], table=table(head, rows))


def _smoothing(record: dict[str, Any]) -> str:
    """What is found in probabilities that are smoothed from slice to slice."""
    sets = record["sets"]
    rows = []
    for way in next(iter(sets.values()))["ways"]:
        limits = [found["ways"][way] for found in sets.values()]
        cells = (f"{row['small parts removed']['dice']:.3f}" for row in limits)
        rows.append([way, *cells, *(_ends(sets[name], way) for name in sets)])
    head = ["probabilities", *sets, *(f"{name}: ends" for name in sets)]
    return SMOOTHING.format(table=table(head, rows), name=record["name"])


def _ends(found: dict[str, Any], way: str) -> str:
    """Empty ends that are marked, with the size limit and without."""
    removed, every = (
        found["ways"][way][limit]["marked"] for limit in ("small parts removed", "all parts")
    )
    return f"{removed} ({every}) of {found['empty ends']}"


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

Mean Dice of slices with a tumour, of LGG's twelve patients that of all their slices together, each
scan in one window, as the networks find them; then how many slices have a mask where none belongs.
Nothing was learnt on LGG and BraTS, the latter one patient with a cavity.
`python -m benchmarks.accuracy.sequences`.

{table}"""

ABLATION = """
Short trainings of {steps} steps from the bundled model's weights, measured on one slice in {every}:
with all parts and without some of them, the mean of {seeds} seeds; and, with the first seed, wider
networks that begin as the same function. In so short a training other contrasts cost a little on
every set, other looks of tumours pay in FLAIR, and synthetic heads keep masks off healthy ones;
what widths differ by, seeds do too. `python -m benchmarks.bundled.ablate_sequences`.

{table}"""

WHOLE_SCANS = """
What becomes of the masks of whole scans: as the network finds them, without small parts, these
inside the brain, and the large parts outlined anew by the prompt network and carried through the
scan (*Carry*, the default). Mean Dice of LGG's twelve patients, and how many of their slices
without a lesion have a mask. `python -m benchmarks.accuracy.volumes`.

{table}"""

CARRIED = """
Other ways to carry, with the {name} model on the twelve tuning patients of LGG, on which the values
of the package were decided: of parts at least a third as large as the largest one three slices are
clicked; the outline counts if a fifth of it was found, and replaces the part if it holds seven
tenths of it.
`python -m benchmarks.accuracy.carried_parts`.

{table}"""

NEIGHBOURS = """
What neighbouring slices are worth ("2.5D"): {steps} steps from the bundled model's weights on
twelve patients of LGG FLAIR, Dice of the twelve others. The bundled model learns from single
slices, so that none of these networks is part of the package.
`python -m benchmarks.accuracy.neighbours`.

{table}"""

SMOOTHING = """
Whether smoothing along the slice axis helps: the probabilities of the {name} model in whole scans,
as they are and smoothed, cut at 0.5 and without small parts, Dice of all slices of a patient. Of
each scan's slices with a head, the tenth on which it is smallest are its ends; counted are those of
them without a lesion that have a mask, in brackets before small parts are left out. No way gains
on both halves of LGG, so that the package leaves probabilities as they are.
`python -m benchmarks.accuracy.smoothing`.

{table}"""
