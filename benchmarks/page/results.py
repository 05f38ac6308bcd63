"""Write docs/explanation/results.md from the figures that the other scripts have kept.

    python -m benchmarks.page.results TUMORSEG BRISC

The data are needed only for what perfect predictors would score; without them those lines keep the
figures that were measured last.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.perfect import perfect_scores
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import ROOT
from benchmarks.common.records import read_records, write_record
from benchmarks.common.synthetic import brisc, tumorseg
from benchmarks.page.effort import effort
from benchmarks.page.learning import in_a_second, look_at_all
from benchmarks.page.markdown_table import table
from benchmarks.page.marks import marks
from benchmarks.page.predicted_dice import predicted_dice
from benchmarks.page.prompts import prompt_tuning, prompts
from benchmarks.page.robustness import robustness
from benchmarks.page.sequences import sequences
from benchmarks.page.use import fine_tuning, prediction

PAGE = ROOT / "docs" / "explanation" / "results.md"
PUBLISHED = {"base": 0.69, "optimised": 0.75}
Row = dict[str, Any]


def text() -> str:
    parts = [INTRODUCTION, _tumorseg(), _brisc(), sequences(), robustness(), _speed()]
    parts += [
        prediction(),
        prompts(),
        prompt_tuning(),
        marks(),
        look_at_all(),
        effort(),
        fine_tuning(),
        predicted_dice(),
        in_a_second(),
    ]
    return "\n".join(part for part in parts if part)


def _tumorseg() -> str:
    runs: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for record in read_records("tumorseg"):
        runs[record["name"], record["width"]].append(record)
    if not runs:
        return ""
    order = sorted(runs, key=lambda key: (key[1], -_mean(runs[key], "published")))
    rows = [_tumorseg_row(*key, runs[key]) for key in order]
    head = ["net", "width", "seeds", "published metric", "published project", "Dice per image"]
    head += ["IoU", "HD95 (pixels)", "missed", "epochs", "seconds"]
    (perfect,) = read_records("perfect") or [{}]
    machines = sorted({r["machine"] for members in runs.values() for r in members})
    return TUMORSEG.format(table=table(head, rows), machines=" or ".join(machines), **perfect)


def _tumorseg_row(name: str, width: int, members: list[Row]) -> list[str]:
    published = np.array([m["published"] for m in members])
    spread = f" ± {published.std(ddof=1):.3f}" if len(members) > 1 else ""
    return [
        name,
        str(width),
        str(len(members)),
        f"{published.mean():.3f}{spread}",
        f"{PUBLISHED[name]:.2f}" if name in PUBLISHED else "–",
        f"{_mean(members, 'dice'):.3f}",
        f"{_mean(members, 'iou'):.3f}",
        f"{_mean(members, 'hd95'):.1f}",
        f"{_mean(members, 'missed'):.1%}",
        f"{_mean(members, 'epochs'):.0f}",
        f"{_mean(members, 'seconds'):.0f}",
    ]


def _mean(members: list[Row], name: str) -> float:
    return float(np.mean([m[name] for m in members]))


def _brisc() -> str:
    records = read_records("brisc")
    if not records:
        return ""
    head = ["model", "slices", "Dice per slice", "with its mirror image", "median", "IoU"]
    head += ["missed", "false positives"]
    rows = [
        [
            r["name"],
            str(r["slices"]),
            f"{r['dice']:.3f} ({r['dice_interval'][0]:.3f}–{r['dice_interval'][1]:.3f})",
            f"{r['mirrored']['dice']:.3f}" if "mirrored" in r else "–",
            f"{r['median']:.3f}",
            f"{r['iou']:.3f}",
            f"{r['missed']:.1%}",
            f"{r['false']} of {r['healthy']}",
        ]
        for r in records
    ]
    groups = list(records[0]["groups"])
    by_group = [[r["name"], *(f"{r['groups'][g]:.3f}" for g in groups)] for r in records]
    (bundled,) = (r for r in records if r["name"] == "bundled")
    tables = {"table": table(head, rows), "groups": table(["model", *groups], by_group)}
    return BRISC.format(**bundled | tables)


def _speed() -> str:
    records = read_records("training")
    if not records:
        return ""
    rows = [
        [
            r["name"],
            r["preset"],
            str(r["width"]),
            r["precision"],
            f"{r['ours']:.1f}",
            f"{r['published']:.1f}",
            f"**{r['ours'] / r['published']:.2f}**",
            f"{r['published_loop']:.1f}",
            f"{r['ours'] / r['published_loop']:.2f}",
        ]
        for r in records
    ]
    head = ["machine", "net", "width", "precision", "samples/s"]
    head += ["published", "ratio", "published loop on this net", "ratio"]
    return SPEED.format(table=table(head, rows))


INTRODUCTION = """\
# Results

Every number comes from a script in `benchmarks/`, which keeps it in `benchmarks/results/`;
`python -m benchmarks.page.results` makes this page of them.
"""

TUMORSEG = """\
## The published protocol, on TumorSeg

1501 slices to train on, 429 to validate, T1 with contrast (provided by a Roboflow user, CC BY 4.0);
near-duplicates stand on both sides of the split that the data set gives. Adam, batches of 16,
224×224, at most 20 epochs, early stopping on the validation loss with a patience of 3 and a least
gain of 0.001, small rotations, a fixed intensity window. The published nets are 64 wide; these are
as wide as the table says, trained on
{machines},
with a learning rate of 0.0001 × 64 / width. `best` is not bound to the protocol: twice as wide, of
128×128 pixels, with residual levels, deep supervision, a cosine over 40 epochs and an average of
the weights. `python -m benchmarks.accuracy.tumorseg` trains and measures.

The published metric is soft Dice over a whole batch, of probabilities and masks resized alike.
Dice, IoU and HD95 are of binary masks, image by image at their own size; an image without a
prediction counts as 0, but has no HD95.

{table}
The annotations are boxes around the lesions, and generous ones. A perfect *box* predictor would
score 1 in every column but the published one, where masks are soft at their edges: {box:.3f}. A
perfect *outline* predictor, which is what one wants, would score far less. True outlines are
known for the {outlines} slices that have a copy in BRISC: they reach {outline:.3f} by the published
metric and {outline_dice:.3f} in Dice per image. An ellipse that fills each box reaches
{ellipse:.3f} and {ellipse_dice:.3f}. Nor do the boxes agree among themselves: of {neighbours}
pairs of slices that correlate above 0.96, neighbours in a scan, the box of the one reaches
{neighbours_dice:.3f} in Dice on the other.
"""

BRISC = """\
## Pixel masks, on BRISC

3933 slices with a tumour and 534 without, of the training part of BRISC 2025 (Fateh et al., CC BY
4.0). A fixed fifth is held out, and slices that correlate above 0.98 with one another in any of
eight orientations stand on one side of the split; `twins ignored` draws slices at random, as
published scores did (Dice 0.88, mean IoU 0.757–0.823 on that data set's own test part, more than
half of which are near-copies of training slices). Weights of the last epoch. In brackets the 95 %
interval by bootstrap over slices; scores are means over slices with a tumour; `with its mirror
image` averages over both (`views: mirrored`). `best` goes on from the bundled model's third run for
12 epochs without turns, inversion and skull-stripping, and is useless on inverted slices.
`python -m benchmarks.accuracy.brisc` and `train_bundled.py`.

{table}
{groups}
With the mirror image the bundled model has a false positive on {mirrored[false]} of {healthy}
healthy slices. The Dice that it predicts for a slice, healthy ones too, is
{predicted[mean_error]:.2f} off on average; its correlation with the true one is
{predicted[pearson]:.2f} (Pearson), {predicted[spearman]:.2f} by ranks.
"""

SPEED = """\
## Speed of training

Samples per second of this trainer and of the published project's loop (each sample decoded, resized
and turned by PIL, float32, channels first), same net, same batch of 16, each in a process of its
own, interleaved in one run, medians; `python -m benchmarks.speed.training`. The published net
interpolates before the 1×1 convolution that halves the width, this package's after it, which is the
same function for a quarter of that step's work; the published loop is measured on either.

{table}"""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("tumorseg", type=Path, nargs="?")
    parser.add_argument("brisc", type=Path, nargs="?")
    with given_to(parser) as given:
        page = PAGE
        if given.smoke:
            page = given.scratch / "results.md"
            given.tumorseg, given.brisc = tumorseg(given.scratch), brisc(given.scratch)
        if given.tumorseg and given.brisc:
            scores = perfect_scores(given.tumorseg, given.brisc)
            write_record("perfect", "tumorseg", scores, keep=not given.smoke)
        page.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
