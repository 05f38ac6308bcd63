"""`evaluate`: metrics of predicted masks against true masks."""

import json as json_
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_unet_seg.cli._console import (
    BAD_INPUT,
    Bar,
    Failure,
    number,
    plain,
    report_failures,
    say,
    table,
    warn,
)
from napari_unet_seg.cli._engine import follow, stoppable
from napari_unet_seg.cli._folders import make_folder
from napari_unet_seg.cli._plans import PlanOnly, print_plans
from napari_unet_seg.cli._workers import SCHEDULER, WORKERS, Distribution
from napari_unet_seg.config import RESULT_THRESHOLD
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import ItemDone

_METRICS = ("dice", "iou", "precision", "recall")
_NAMED = 5
"""Number of names that a message lists."""


def evaluate(
    pred: Annotated[Path, typer.Option(metavar="DIR|COCO|RESULTS", help="Predicted masks.")],
    truth: Annotated[Path, typer.Option(metavar="DIR|COCO", help="True masks.")],
    group: Annotated[
        str,
        typer.Option(
            metavar="REGEX",
            help="Searched in a mask's name: its first group, or else the match, is the group.",
        ),
    ] = "",
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Count all labels as one category.")
    ] = False,
    threshold: Annotated[
        float, typer.Option(help="Score that a result needs, for a list of results as --pred.")
    ] = RESULT_THRESHOLD,
    plan: PlanOnly = False,
    scheduler: Annotated[str, SCHEDULER] = "",
    workers: Annotated[int | None, WORKERS] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write all metrics as JSON; - prints them.")
    ] = None,
) -> int:
    """Measure Dice, IoU, precision, recall and HD95 (in the masks' unit of length).

    Masks are paired by name without suffix; in folders of cases by the names of the cases, of their
    scans or of their folders, and --plan shows what their files are taken for. A list of a model's
    results in COCO's format is drawn on the images of a COCO file as --truth. Categories are
    paired by name if both sides have names, else by label value. Means are over scans. A scan whose
    masks are both empty has no Dice: it is in no mean and is counted under "empty". Many scans are
    distributed over several processes as in predict.

    Example: napari-unet-seg evaluate --pred masks --truth dataset/valid/masks --group "_(ax|co)_"
    """
    if plan:
        return print_plans([path for path in (pred, truth) if path.is_dir()])
    from napari_unet_seg.evaluation import evaluate as evaluation

    if scheduler:
        # Workers may have another working folder.
        pred, truth = pred.absolute(), truth.absolute()
    events = evaluation.evaluate(
        pred,
        truth,
        group,
        foreground=foreground,
        threshold=threshold,
        attempts=Distribution(scheduler, workers),
    )
    with stoppable() as stop, Bar("Comparing", "masks", quiet=json == "-") as bar:
        result, failed = _compare(follow(events, stop), bar)
    if result is None:
        return stop.exit_code
    if json != "-":
        say(_report(result))
    if json:
        _write_json(json, pred, truth, result, failed)
    for title, names in (("no prediction", result.missing), ("no truth", result.extra)):
        if names:
            have = "mask has" if len(names) == 1 else "masks have"
            warn(f"{len(names)} {have} {title}: {_first_names(names)}")
    report_failures(failed)
    return BAD_INPUT if failed else 0


def _compare(events: Iterable[Any], bar: Bar) -> tuple[Any, list[Failure]]:
    """Follow the comparison; return its result, None if it was stopped, and what failed.

    Raises
    ------
    DataError
        If no pair of masks can be compared.
    """
    result: Any = None
    failed: list[Failure] = []
    count = 0
    for event in events:
        if not isinstance(event, ItemDone):
            result = event
            continue
        count = event.count
        bar.update(event.index, event.count)
        if event.problem:
            failed.append((event.name, event.problem))
    if result is not None and len(failed) == count:
        raise DataError(failed[0][1])
    return result, failed


def _report(result: Any) -> str:
    head = ["", "scans", "empty", "Dice", "IoU", "precision", "recall", f"HD95 ({result.unit})"]
    rows = [head]
    for s in result.summaries:
        metrics = [number(getattr(s, name)) for name in _METRICS]
        title = f"{s.group or 'all'}: {s.category}"
        rows.append([title, str(s.samples), str(s.empty), *metrics, number(s.hd95, 2)])
    notes = "".join(f"\n{note}" for note in result.notes)
    return (table(rows) if len(rows) > 1 else "All masks are empty.") + notes


def _first_names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _write_json(target: str, pred: Path, truth: Path, result: Any, failed: list[Failure]) -> None:
    from napari_unet_seg.io.disk.files import atomic

    document = plain(result)
    measures = zip(document.pop("measures"), result.measures, strict=True)
    document["samples"] = [
        {**row, **plain({name: getattr(m.counts, name) for name in _METRICS})}
        for row, m in measures
    ]
    document["failed"] = [{"name": name, "problem": problem} for name, problem in failed]
    document = {"pred": str(pred), "truth": str(truth), **document}
    if target == "-":
        say(json_.dumps(document, allow_nan=False))
        return
    make_folder(Path(target).absolute().parent)
    with atomic(target) as path:
        path.write_text(json_.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
