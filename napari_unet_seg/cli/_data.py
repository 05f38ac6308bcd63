"""`import` and `export`: COCO to a data set, and masks to COCO."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_unet_seg.cli._console import Bar, emit, say, table, warn
from napari_unet_seg.cli._slices import planes
from napari_unet_seg.cli._work import BAD_INPUT, follow, make_folder, report_failures, stoppable
from napari_unet_seg.errors import DataError

_MENDS = {
    "its file is missing": "add it, or give the image folder with --images",
    "it has only a box": "give --boxes to draw it as a rectangle",
}
"""What to do about a problem of a COCO file that correcting the file does not mend best."""


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="COCO.json...", help="COCO files.")],
    out: Annotated[Path, typer.Option(metavar="DATASET", help="Folder to make.")],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Image folder; guessed if not given.")
    ] = None,
    valid_fraction: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share held out for validation, where the files name none."
        ),
    ] = 0.2,
    test_fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Share held out for testing.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Draw annotations that have only a box.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Write COCO files as a data set: images and masks per split, and dataset.json.

    Several files that name their split (train, valid, test) keep it.

    Example: napari-unet-seg import train/_annotations.coco.json --out dataset
    """
    from napari_unet_seg.data.dataset import write_dataset
    from napari_unet_seg.io.coco import inspect, read_coco

    datasets = [read_coco(file, images) for file in files]
    reports = [inspect(dataset, boxes=boxes) for dataset in datasets]
    failed = [
        _with_mend(file, *problem)
        for file, report in zip(files, reports, strict=True)
        for problem in report.skipped
    ]
    if not json:
        for file, report in zip(files, reports, strict=True):
            say(_describe(file, report))
    known = {name for report in reports for name, _ in report.skipped}
    written = 0
    with stoppable() as stop, Bar("Writing", "images", quiet=json) as bar:
        shares = {"valid_fraction": valid_fraction, "test_fraction": test_fraction}
        events = write_dataset(datasets, out, **shares, seed=seed, boxes=boxes)
        for item in follow(events, stop):
            bar.update(item.index, item.count)
            written += not item.problem
            if item.problem and item.name not in known:
                failed.append((item.name, item.problem))
    if stop:
        warn(f"Stopped; {out} is not written.")
        return stop.exit_code
    if json:
        machine = [_machine(*pair) for pair in zip(files, reports, strict=True)]
        emit({"out": out, "written": written, "files": machine})
    else:
        say(f"{written} images with masks are in {out}.")
    report_failures(failed)
    return BAD_INPUT if failed else 0


def _with_mend(file: Path, what: str, why: str) -> tuple[str, str]:
    """Tell the COCO file and the mend, where the problem is no sentence with its own yet."""
    if why.endswith("."):
        return what, why
    mend = _MENDS.get(why, "correct it there and import again")
    return f"{file}: {what}", f"{why}; {mend}."


def _describe(file: Path, report: Any) -> str:
    sizes = ", ".join(f"{n} of {w} × {h}" for (h, w), n in report.sizes.most_common())
    rows = [("category", "annotations")]
    rows += [(category.name, str(n)) for category, n in report.annotations.items()]
    head = f"{file}: {report.found} images found, {len(report.missing)} missing"
    return f"{head} ({sizes or 'none usable'})\n{table(rows)}"


def _machine(file: Path, report: Any) -> dict[str, Any]:
    return {
        "file": file,
        "found": report.found,
        "missing": report.missing,
        "annotations": {category.name: n for category, n in report.annotations.items()},
        "sizes": [{"width": w, "height": h, "images": n} for (h, w), n in report.sizes.items()],
        "skipped": [{"what": what, "why": why} for what, why in report.skipped],
    }


def export(
    masks: Annotated[Path, typer.Argument(metavar="MASKS", help="Folder of masks, or data set.")],
    out: Annotated[Path, typer.Option(metavar="COCO.json", help="File to write.")],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the images, for their names in the file."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Write masks as COCO: polygons on the pixel edges, RLE where there are holes.

    The slices of a volume become images of their own, named after it and their number.

    Example: napari-unet-seg export masks --images images --out annotations.json
    """
    from napari_unet_seg._mask_sources import open_masks
    from napari_unet_seg.io.coco import labels_to_coco, save_coco

    source = open_masks(masks)
    names = _image_names(source, images, out)
    failed: list[tuple[str, str]] = []

    def items() -> Any:
        for index, name in enumerate(source.names, 1):
            try:
                yield from planes(names[name], source.load(name))
            except DataError as error:
                failed.append((name, str(error)))
            bar.update(index, len(source.names))

    make_folder(out.absolute().parent)
    with Bar("Encoding", "masks", quiet=json) as bar:
        document = labels_to_coco(items(), _categories(source))
    if not document["images"]:
        raise DataError(f"No mask of {masks} can be used: {failed[0][1]}")
    save_coco(document, out)
    done = {"images": len(document["images"]), "annotations": len(document["annotations"])}
    if json:
        emit({"out": out, **done, "failed": failed})
    else:
        say(f"{done['images']} images with {done['annotations']} annotations are in {out}.")
    report_failures(failed)
    return BAD_INPUT if failed else 0


def _image_names(source: Any, images: Path | None, out: Path) -> dict[str, str]:
    """File name of every mask's image, as the COCO file is to have it."""
    from napari_unet_seg._mask_sources import scan_files, stem

    if images is not None and not images.is_dir():
        raise DataError(f"The image folder {images} does not exist; choose another one.")
    beside = source.path.parent / "images"
    folder = images or (beside if beside.is_dir() else None)
    found = {stem(file): file for file in scan_files(folder)} if folder else {}
    found = {**source.images, **found}
    root = out.absolute().parent
    names = {}
    for name in source.names:
        file = found[name].absolute() if name in found else Path(f"{name}.tif")
        inside = file.is_relative_to(root)
        names[name] = file.relative_to(root).as_posix() if inside else file.name
    return names


def _categories(source: Any) -> Any:
    """The source's categories, or one for every label value where nothing names them."""
    from napari_unet_seg.config import IGNORE_INDEX, Category

    if source.categories:
        return source.categories
    highest = 0
    for name in source.names:
        try:
            values = np.asarray(source.load(name).data)
        except DataError:
            # It is listed when its turn comes.
            continue
        highest = max(highest, int(values.max(where=values != IGNORE_INDEX, initial=0)))
    return tuple(Category(id=i, name=f"label {i}") for i in range(1, highest + 1))
