"""The parts of docs/explanation/results.md about learning in a second and looking at sequences."""

from __future__ import annotations

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

COLUMNS = {
    "model": "model",
    "head": "fit",
    "better": "fit is better",
    "chosen": "chosen",
    "used": "fit is chosen",
}
COUNTS = ("better", "used")
SEQUENCES = {"alone": "the one on screen", "all": "all"}


def in_a_second() -> str:
    record = next(iter(read_records("learning_head")), None)
    if record is None:
        return ""
    rows = [
        [task, count, *(row[key] if key in COUNTS else f"{row[key]:.3f}" for key in COLUMNS)]
        for task, counts in record["tasks"].items()
        for count, row in counts.items()
    ]
    head = ["slices of", "accepted", *COLUMNS.values()]
    return IN_A_SECOND.format(table=table(head, rows))


def look_at_all() -> str:
    record = next(iter(read_records("look_at_all")), None)
    if record is None:
        return ""
    rows = [
        [
            meant,
            SEQUENCES[looked],
            *(f"{row[kind][n]:.3f}" for kind in ("clicks", "carried") for n in ("1", "3")),
        ]
        for meant, ways in record["sets"].items()
        for looked, row in ways.items()
    ]
    head = ["meant", "looks at", "1 click", "3 clicks", "1 carried", "3 carried"]
    return LOOK_AT_ALL.format(table=table(head, rows))


IN_A_SECOND = """\
## Learning in a second

*Learn in a second* fits the last layer of the bundled model to accepted slices. Dice of the slices
that follow, at the model's own size: the other slices of a patient on FLAIR (`lgg-flair`, 12
patients), those of six other patients, and 60 others of BRISC, as they are and inverted, the mean
of five draws. *Chosen* is what the check on the accepted slices makes of both, as the window does.
The fit helps with the rest of a patient on a sequence that the model has never seen. On what it
knows the check mostly refuses it, and for other patients it is no use, so the window learns from
the open scan alone. `python -m benchmarks.correction.learning_head`.

{table}"""

LOOK_AT_ALL = """\
## Looking at all sequences

A robot clicks on the BraTS patient, on the sequence that shows what is meant; the network looks at
this one alone, or at FLAIR and T1c. Mean Dice of 20 slices after clicks on each, and Dice of the
volume after clicks on one or three slices that were carried through it.
`python -m benchmarks.prompts.look_at_all`.

{table}"""
