"""The part of docs/explanation/results.md about what the predicted Dice is worth."""

from __future__ import annotations

from benchmarks.common.records import read_records
from benchmarks.page.markdown_table import table

HALVES = ("tune", "test")


def predicted_dice() -> str:
    """Ways to predict the Dice of slices of an unknown contrast."""
    text = ""
    for record in read_records("predicted_dice"):
        ways = record["ways"]
        rows = [
            [
                way,
                *(f"{ways[half][way]['rank correlation']:.3f}" for half in HALVES),
                *(f"{ways[half][way]['difference']:.3f}" for half in HALVES),
            ]
            for way in ways[HALVES[0]]
        ]
        text += PREDICTED_DICE.format(table=table(HEAD, rows))
    return text


HEAD = [
    "the predicted Dice is",
    "rank correlation, 12 patients",
    "12 others",
    "mean difference, 12 patients",
    "12 others",
]
PREDICTED_DICE = """\
## The predicted Dice

The bundled model on all FLAIR slices of 24 patients of LGG, on which it learnt nothing: how the
predicted Dice of masks that are not carried goes with the true one. The last row is what the
package tells; that it is the mean of both was decided on the first twelve patients. Slices far from
what the model has learnt are not the worse ones: those at the ends of the head are far, mostly
empty, and found to be so. A distance of the network's features makes the estimate worse, and is
left out. `python -m benchmarks.accuracy.predicted_dice`.

{table}"""
