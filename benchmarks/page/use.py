"""The parts of docs/explanation/results.md about prediction and correction."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

if TYPE_CHECKING:
    from collections.abc import Iterable

RECIPES = ("gentle", "thorough")
WAYS = ("published", "monai", "openvino_float32", "openvino")
NAMES = {
    "published": "published project's way",
    "monai": "MONAI",
    "openvino_float32": "OpenVINO, float32",
    "openvino": "OpenVINO, its default",
}


def prediction() -> str:
    machines = {record["name"]: record["cases"] for record in read_records("predict")}
    rows = [
        _case(machine, case, figures)
        for machine, cases in machines.items()
        for case, figures in cases.items()
    ]
    if not rows:
        return ""
    head = ["machine", "pixels", "this package", *(NAMES[way] for way in WAYS)]
    return PREDICTION.format(
        table=table([*head, "first time", "peak memory"], rows), float32=_float32(machines)
    )


def _float32(machines: dict[str, Any]) -> str:
    """OpenVINO in float32 beside this package with AVX2 emulated, where both were measured."""
    theirs = _listed(machines.get("two cores, AMX bfloat16", {}), "openvino_float32")
    ours = _listed(machines.get("two cores, AVX2 emulated", {}), "ours")
    return FLOAT32.format(theirs=theirs, ours=ours) if theirs and ours else ""


def _listed(cases: dict[str, Any], way: str) -> str:
    """Milliseconds of a way for each case, empty if a case lacks it or there is none."""
    if not cases or any(way not in figures for figures in cases.values()):
        return ""
    *first, last = (f"{figures[way]['ms']:,.0f}" for figures in cases.values())
    return f"{', '.join(first)} and {last} ms"


def _case(machine: str, case: str, figures: dict[str, Any]) -> list[str]:
    ours = figures["ours"]
    times = [f"**{ours['ms']:.0f} ms**"]
    for way in WAYS:
        there = figures.get(way)
        times.append(f"{there['ms']:.0f} ms ({there['ms'] / ours['ms']:.2f}×)" if there else "–")
    every = [figures.get(way, {}) for way in ("ours", *WAYS)]
    first = " / ".join(f"{f['first_ms'] / 1000:.1f}" if "first_ms" in f else "–" for f in every)
    memory = " / ".join(f"{f['peak_mib']}" if f else "–" for f in every)
    return [machine, case, *times, f"{first} s", f"{memory} MiB"]


def fine_tuning() -> str:
    records = read_records("fine_tuning")
    few = next((r for r in records if "slices" in r), None)
    contrast = sorted((r for r in records if "slices" not in r), key=lambda r: r["before"]["dice"])
    return "\n".join(filter(None, (few and _few_slices(few), contrast and _new_contrast(contrast))))


def _few_slices(record: dict[str, Any]) -> str:
    kinds = record["dice"]
    every = [row for rows in kinds.values() for row in rows]
    recipes = [name for name in RECIPES if all(name in row for row in every)]
    head = ["slices", "before", *(f"after: {name}" for name in recipes)]
    head += ["change of each draw", "seconds of a core"]
    table_rows = [
        [
            kind,
            _mean(row["before"] for row in rows),
            *(_mean(row[name]["dice"] for row in rows) for name in recipes),
            ", ".join(f"{row[row['chosen']]['dice'] - row['before']:+.3f}" for row in rows),
            f"{mean(row[row['chosen']]['cpu_seconds'] for row in rows):.0f}",
        ]
        for kind, rows in kinds.items()
    ]
    return FEW_SLICES.format(
        slices=record["slices"],
        chosen=" or ".join(sorted({row["chosen"] for row in every})),
        table=table(head, table_rows),
    )


def _new_contrast(records: list[dict[str, Any]]) -> str:
    rows = [row for record in records for row in _contrast_rows(record)]
    before = records[0]["before"]
    head = ["model", "Dice of what it finds", "carried", "seconds of a core"]
    head += ["predicted Dice: correlation by ranks", "off by"]
    patients, slices = len(before["patients"]), before["predicted"]["slices"]
    return NEW_CONTRAST.format(table=table(head, rows), patients=patients, slices=slices)


def _contrast_rows(record: dict[str, Any]) -> list[list[str]]:
    """Of the model that was started from, and of what each recipe made of it."""
    runs = {name: record[name] for name in RECIPES if name in record}
    by_rule = {name: f"{name}, chosen by the rule" for name in record["chosen"]}
    names = {name: by_rule.get(name, name) for name in runs}
    return [
        _contrast_row(f"{record['base']}, before", [record["before"]]),
        *(_contrast_row(f"{record['base']}, {names[name]}", runs[name]) for name in runs),
    ]


def _contrast_row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    seconds = [run["cpu_seconds"] for run in runs if "cpu_seconds" in run]
    return [
        name,
        *(", ".join(f"{run[kind]:.3f}" for run in runs) for kind in ("found", "dice")),
        f"{mean(seconds):.0f}" if seconds else "–",
        f"{mean(run['predicted']['spearman'] for run in runs):.2f}",
        f"{mean(run['predicted']['mean_error'] for run in runs):.2f}",
    ]


def _mean(values: Iterable[float]) -> str:
    return f"{mean(values):.3f}"


PREDICTION = """\
## Speed of prediction

The same weights (the bundled ones) on the same pixels: a slice of 256×256, one of 640×640, a volume
of 155×240×240, whose mask is not carried; and the window around a click, through the prompt
network. In brackets how many times longer than this package it takes. Each way in a process of its
own, in turns in one run, medians; in the order of the columns the first time, with all that is
loaded and converted for it, and peak memory, torch or OpenVINO itself included.
`python -m benchmarks.speed.predict`.

OpenVINO is quicker once it runs where it has AMX's bfloat16, and much slower the first time, since
it has to convert the network for each size; it also takes more memory. In float32, which is what
other processors compute in, it is no quicker{float32}. As it is not \
1.2 times faster throughout, the
package does without it. With AVX2 emulated there are no figures of it.

{table}"""

FLOAT32 = """\
: on two cores the two slices and the volume take it
{theirs} with all instructions of the processor, and this package
{ours} with AVX2 emulated"""

FEW_SLICES = """\
## Fine-tuning on a few slices

Dice per slice on 100 held-out slices, before and after the bundled model was fine-tuned on {slices}
others: the mean over draws of the slices, and the change of each draw. The model has seen inverted
and turned slices in training; masks drawn by another habit are new to it. The rule takes the recipe
{chosen}. A change of 0 is of a draw in which no epoch was better on its ten held-out slices beyond
chance, so that the model stayed as it was. `python -m benchmarks.correction.fine_tuning`.

{table}"""

NEW_CONTRAST = """\
## Fine-tuning on a new contrast

FLAIR slices of low-grade gliomas (TCGA, by way of Kaggle's *LGG segmentation*; no model trained on
them ships). `napari-unet-seg finetune` learnt from 12 patients, of whom it held some out;
{patients} others measure it: the Dice of all slices of a patient together, mean over the patients,
of the masks as the network finds them, and carried, as they are by default. For the latter the
predicted Dice is compared with the measured one on all of their {slices} slices, more than half of
them without a lesion. Draws from one model differ by a tenth, the means of two models by less.
`python -m benchmarks.correction.fine_tuning`.

{table}"""
