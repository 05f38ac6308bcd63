"""The part of docs/explanation/results.md about how the prompt network is understood."""

from __future__ import annotations

from typing import Any

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

TUNED = ["prompt network", "1 click", "3", "a box", "seconds of a core"]
HEAD = ["slices of", "1 click", "2", "3", "5", "a box", "clicks to 0.90", "harmed"]


def prompts() -> str:
    """Clicks and boxes of an unsteady hand, on slices and carried through scans."""
    records = {r["name"]: r for r in read_records("prompts")}
    if "bundled" not in records:
        return ""
    record = records["bundled"]
    scans = carried_of(record) + _ways()
    return PROMPTS.format(sets=sets_of(record), carried=scans) + _times()


def _ways() -> str:
    """Other ways to carry."""
    text = ""
    for record in read_records("carry_ways"):
        rows = [[k, f"{v['1']:.3f}", f"{v['3']:.3f}"] for k, v in record["ways"].items()]
        text += WAYS.format(table=table(["carried", "1 click", "3 clicks"], rows))
    return text


def _times() -> str:
    """Time of an answer by machine."""
    records = read_records("prompt_times")
    if not records:
        return ""
    sizes = list(dict.fromkeys(size for r in records for size in r["ms"]))
    rows = [
        [
            r["name"],
            str(r["threads"]),
            r["precision"],
            *(f"{r['ms'][n]:.1f} ms" if n in r["ms"] else "–" for n in sizes),
        ]
        for r in records
    ]
    head = ["machine", "threads", "precision", *(f"{n}×{n}" for n in sizes)]
    return TIMES.format(table=table(head, rows))


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


def prompt_tuning() -> str:
    """Clicks and boxes on a new sequence, before and after fine-tuning."""
    records = read_records("prompt_tuning")
    if not records:
        return ""
    (record,) = records
    runs = [_tuned("before", record["before"])]
    runs += [_tuned(f"{r['recipe']}, seed {r['seed']}", r) for r in record["after"]]
    slices = record["before"]["slices"]
    return PROMPT_TUNING.format(table=table(TUNED, runs), slices=slices)


def _tuned(name: str, figures: dict[str, Any]) -> list[str]:
    clicks, seconds = figures["clicks"], figures.get("cpu_seconds")
    scores = [clicks["1"], clicks["3"], figures["box"]]
    return [name, *(f"{score:.3f}" for score in scores), "–" if seconds is None else str(seconds)]


PROMPT_TUNING = """\
## Fine-tuning the prompt network

FLAIR slices of low-grade gliomas, which it has never seen. `napari-unet-seg finetune prompts`
learnt from 12 patients, of whom it held some out, with the recipe that the rule took; {slices}
slices of 12 others measure it as above. `python -m benchmarks.correction.prompt_tuning`.

{table}"""

PROMPTS = """\
## The prompt network

Mean Dice on held-out slices after clicks into the middle of the largest error, each off by a normal
deviate of two pixels; after one box with careless sides; the clicks to a Dice of 0.90, ten where
ten do not suffice; the share of clicks that lower the Dice by more than 0.005. BraTS is one patient
with a cavity. `python -m benchmarks.prompts.measure`.

{sets}
One prompt on the largest slice, or three on three, carried through whole scans, Dice of the volume:

{carried}"""
WAYS = """
Other ways to carry clicks through FLAIR of twelve other patients, which were tried: the click kept
on the slices that hold it; each slice asked again with the shape between its neighbours' masks; and
a walk back from the ends. None is better both with one click and with three. `python -m
benchmarks.prompts.carry_ways`.

{table}"""
TIMES = """
The time of an answer to a click, median; `python -m benchmarks.prompts.measure DATA --machine`.

{table}"""
