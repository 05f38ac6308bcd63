"""`import`: COCO files, or a model's results on one, to a data set."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from napari_unet_seg.cli._console import BAD_INPUT, Bar, emit, report_failures, say, table, warn
from napari_unet_seg.cli._engine import follow, stoppable
from napari_unet_seg.config import RESULT_THRESHOLD
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.counting import counted, is_or_are

_REMEDIES = {
    "its file is missing": "add it, or give the image folder with --images",
    "it has only a box": "give --boxes to draw it as a rectangle",
}
"""What to do about problems of a COCO file, other than correcting the file."""


class _Inspected(NamedTuple):
    """What a file holds."""

    file: Path
    report: Any
    overlaps: Any


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="COCO.json...", help="COCO files.")],
    out: Annotated[Path, typer.Option(metavar="DATASET", help="Folder to create.")],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Image folder; guessed if not given.")
    ] = None,
    valid_fraction: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share held out for validation, if the files name no such split."
        ),
    ] = 0.2,
    test_fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Share held out for testing.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Draw annotations that have only a box.")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="List of a model's results: its masks instead of the annotations."
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Score that a result needs, for --results.")
    ] = RESULT_THRESHOLD,
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Write COCO files as a data set: images and masks per split, and dataset.json.

    With --results the masks are a model's predictions, a list in COCO's format for results. Those
    of a score of at least --threshold are drawn, the best on top.

    Several files that name their split (train, valid, test) keep it. Otherwise near-copies of an
    image, also mirrored or rotated, stay in one split; their number is printed.

    Example: napari-unet-seg import train/_annotations.coco.json --out dataset
    """
    from napari_unet_seg.data.dataset_write import write_dataset
    from napari_unet_seg.data.description import read_description
    from napari_unet_seg.io.coco.read import read_coco

    datasets = [read_coco(file, images) for file in files]
    if results is not None:
        files, datasets = [results], [_predicted(results, datasets).above(threshold, boxes=boxes)]
    inspected = [_inspect(*each, boxes) for each in zip(files, datasets, strict=True)]
    if not json:
        for each in inspected:
            say(f"{_describe(each)}\n{each.overlaps}".rstrip())
    skipped = [(each.file, *problem) for each in inspected for problem in each.report.skipped]
    failed = [_with_remedy(*problem) for problem in skipped]
    reported = {name for _, name, _ in skipped}
    written = 0
    with stoppable() as stop, Bar("Writing", "images", quiet=json) as bar:
        shares = {"valid_fraction": valid_fraction, "test_fraction": test_fraction}
        events = write_dataset(datasets, out, **shares, seed=seed, boxes=boxes)
        for item in follow(events, stop):
            bar.update(item.index, item.count)
            written += not item.problem
            if item.problem and item.name not in reported:
                failed.append((item.name, item.problem))
    if stop:
        warn(f"Stopped; {out} has not been written.")
        return stop.exit_code
    note = read_description(out).note
    if json:
        documents = [_as_json(each) for each in inspected]
        emit({"out": out, "written": written, "note": note, "files": documents})
    else:
        say(
            f"{counted(written, 'image')} with masks {is_or_are(written)} in {out}. {note}".rstrip()
        )
    report_failures(failed)
    return BAD_INPUT if failed else 0


def _predicted(results: Path, datasets: list[Any]) -> Any:
    """Return the results on their data set."""
    from napari_unet_seg.io.coco.results import read_results

    if len(datasets) > 1:
        raise DataError(
            f"{results} belongs to one COCO file, and {len(datasets)} are given; give the one "
            "whose images were predicted."
        )
    return read_results(results, datasets[0])


def _inspect(file: Path, dataset: Any, boxes: bool) -> _Inspected:
    from napari_unet_seg.io.coco.report import inspect, overlaps

    report = inspect(dataset, boxes=boxes)
    return _Inspected(file, report, overlaps(dataset, report.usable, boxes=boxes))


def _with_remedy(file: Path, what: str, why: str) -> tuple[str, str]:
    """Add the COCO file and a remedy to a problem, unless it is a sentence already."""
    if why.endswith("."):
        return what, why
    remedy = _REMEDIES.get(why, "correct it there and import again")
    return f"{file}: {what}", f"{why}; {remedy}."


def _describe(inspected: _Inspected) -> str:
    file, report, _ = inspected
    sizes = ", ".join(f"{n} of {w} × {h}" for (h, w), n in report.sizes.most_common())
    rows = [("category", "annotations")]
    rows += [(category.name, str(n)) for category, n in report.annotations.items()]
    head = f"{file}: {report.found} images found, {len(report.missing)} missing"
    return f"{head} ({sizes or 'none usable'})\n{table(rows)}"


def _as_json(inspected: _Inspected) -> dict[str, Any]:
    file, report, below = inspected
    return {
        "file": file,
        "overlaps": below._asdict(),
        "found": report.found,
        "missing": report.missing,
        "annotations": {category.name: n for category, n in report.annotations.items()},
        "sizes": [{"width": w, "height": h, "images": n} for (h, w), n in report.sizes.items()],
        "skipped": [{"what": what, "why": why} for what, why in report.skipped],
    }
