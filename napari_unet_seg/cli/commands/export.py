"""`export`: masks as COCO, as TIFFs of 0 and 255, or with their scans for nnU-Net."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer

from napari_unet_seg import log
from napari_unet_seg.cli._console import BAD_INPUT, Bar, Failure, emit, report_failures, say, warn
from napari_unet_seg.cli._folders import make_folder, output_folder
from napari_unet_seg.cli._names import planes
from napari_unet_seg.cli._settings import settings
from napari_unet_seg.cli.commands.export_nnunet import export_nnunet
from napari_unet_seg.config import CocoOptions
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.counting import counted, was_or_were
from napari_unet_seg.io.masks.report import MaskReport, report_of


class Format(StrEnum):
    """Formats of the export."""

    coco = "coco"
    binary = "binary"
    nnunet = "nnunet"


def export(
    masks: Annotated[
        Path,
        typer.Argument(
            metavar="MASKS",
            help="Folder of masks, data set, or COCO file; for nnU-Net a data set, a folder of "
            "cases, a session, or a folder of sessions.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="COCO.json|DIR",
            help="COCO file to write; or a folder, for the COCO files of a data set, for TIFFs or "
            "for nnU-Net: a new folder DatasetNNN_NAME, or the one in which to number it.",
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the images, for their names in the file."),
    ] = None,
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            help="coco; binary: a TIFF of 0 and 255 for each image; or nnunet: scans and masks in "
            "nnU-Net's raw layout.",
        ),
    ] = Format.coco,
    keep: Annotated[
        Literal["mine", "theirs"] | None,
        typer.Option(
            help="Version of annotations that were changed both in the data set and in its COCO "
            "file since the import: mine (the data set's), or theirs."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="How COCO is written; see below."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Write masks as COCO: polygons along the pixel edges, RLE for masks with holes.

    Each slice of a volume becomes an image, named after the volume and the number of the slice. A
    data set that was imported from COCO files is written to files of the same names if --out is a
    folder; annotations that were not edited do not change. With --format binary each image gets a
    TIFF of 0 and 255, in one folder per category if there are several. With --format nnunet the
    scans are written too, as a data set that nnU-Net trains on.

    Example: napari-unet-seg export masks --images images --out annotations.json
    """
    from napari_unet_seg.evaluation.mask_sources import is_dataset
    from napari_unet_seg.io.coco.encode import Encoder

    if format_ is Format.nnunet:
        return export_nnunet(masks, out, json=json)
    encoder = Encoder(settings(CocoOptions(), None, set_ or ()))
    to_json = out.suffix.lower() == ".json"
    if format_ is Format.binary and to_json:
        raise DataError(f"{out} is not a folder; give --out a folder for the binary masks.")
    if format_ is Format.coco and not to_json:
        if not is_dataset(masks):
            raise DataError(f"{out} is not a COCO file; give --out a name that ends with .json.")
        return _export_dataset(masks, out, encoder, keep, json=json)
    if format_ is Format.binary:
        done, failed = _export_binary(masks, images, out, quiet=json)
    else:
        done, failed = _export_coco(masks, images, out, encoder, quiet=json)
    if json:
        emit({"out": out, **done, "failed": failed})
    else:
        counts = " with ".join(f"{number} {what}" for what, number in done.items())
        say(f"{counts} are in {out}.")
    _warn_of_cuts(encoder)
    report_failures(failed)
    return BAD_INPUT if failed else 0


def _export_dataset(masks: Path, out: Path, encoder: Any, keep: Any, *, json: bool) -> int:
    from napari_unet_seg.data.dataset_export import export_dataset

    with output_folder(out):
        written = export_dataset(masks, out, encoder, keep=keep)
    if json:
        emit({"out": out, "files": written})
    else:
        say("Wrote " + ", ".join(map(str, written)) + ".")
    _warn_of_cuts(encoder)
    return 0


def _warn_of_cuts(encoder: Any) -> None:
    if encoder.cut:
        cut = f"{counted(encoder.cut, 'mask')} with holes {was_or_were(encoder.cut)} cut"
        warn(f"{cut} into polygons without holes.")


def _export_coco(
    masks: Path,
    images: Path | None,
    out: Path,
    encoder: Any,
    *,
    quiet: bool,
) -> tuple[dict[str, int], list[Failure]]:
    from napari_unet_seg.evaluation.mask_sources import open_masks
    from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
    from napari_unet_seg.io.provenance import check_ours

    check_ours(out)
    source = open_masks(masks)
    make_folder(out.absolute().parent)
    with Bar("Encoding", "masks", quiet=quiet) as bar:
        slices = _Slices(source, _image_names(source, images, out.absolute().parent), bar)
        document = labels_to_coco(slices, _categories(source), encoder=encoder)
    if not document["images"]:
        raise DataError(f"No mask of {masks} can be used: {slices.failed[0][1]}")
    save_coco(document, out)
    _warn_of_masks(slices)
    counts = {name: len(document[name]) for name in ("images", "annotations")}
    return counts, slices.failed


def _export_binary(
    masks: Path, images: Path | None, out: Path, *, quiet: bool
) -> tuple[dict[str, int], list[Failure]]:
    from napari_unet_seg.evaluation.mask_sources import open_masks
    from napari_unet_seg.io.images.binary_masks import write_binary_masks

    source = open_masks(masks)
    with output_folder(out), Bar("Writing", "masks", quiet=quiet) as bar:
        slices = _Slices(source, _image_names(source, images, out.absolute()), bar)
        written = write_binary_masks(slices, _categories(source), out)
    if not written:
        raise DataError(f"No mask of {masks} can be used: {slices.failed[0][1]}")
    _warn_of_masks(slices)
    return {"binary masks": written}, slices.failed


def _warn_of_masks(slices: "_Slices") -> None:
    for note in slices.report.notes():
        warn(note)


class _Slices:
    """Iterable over the slices of all masks, with the names of their images."""

    def __init__(self, source: Any, names: dict[str, str], bar: Bar) -> None:
        self._source, self._names, self._bar = source, names, bar
        self.failed: list[Failure] = []
        """Masks that could not be read."""
        self.report = MaskReport()
        """What a person should know of the masks."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Read one mask after another."""
        for index, name in enumerate(self._source.names, 1):
            try:
                mask = self._source.load(name)
                soft, count = bool(mask.meta.get("soft")), len(self._source.categories)
                self.report += report_of(np.asarray(mask.data), count, soft=soft)
                yield from planes(self._names[name], mask)
            except Exception as error:
                self.failed.append((name, log.problem(error, name)))
            self._bar.update(index, len(self._source.names))


def _image_names(source: Any, images: Path | None, root: Path) -> dict[str, str]:
    """Return the file name of each mask's image, relative to the output folder if inside."""
    from napari_unet_seg.evaluation.mask_sources import stem
    from napari_unet_seg.io.find import scan_files

    if images is not None and not images.is_dir():
        raise DataError(f"The image folder {images} does not exist; choose another one.")
    sibling = source.path.parent / "images"
    folder = images or (sibling if sibling.is_dir() else None)
    found = {stem(file): file for file in scan_files(folder)} if folder else {}
    found = {**source.images, **found}
    names = {}
    for name in source.names:
        file = found[name].absolute() if name in found else Path(f"{name}.tif")
        inside = file.is_relative_to(root)
        names[name] = file.relative_to(root).as_posix() if inside else file.name
    return names


def _categories(source: Any) -> Any:
    """Return the categories of the source, or one per label value if the source has none."""
    from napari_unet_seg.config import IGNORE_INDEX, numbered_categories

    if source.categories:
        return source.categories
    highest, what = 0, ""
    for name in source.names:
        try:
            values = np.asarray(source.load(name).data)
        except Exception:
            continue  # reported when the mask is exported
        top = int(values.max(where=values != IGNORE_INDEX, initial=0))
        if top > highest:
            highest, what = top, f"The mask {name} of {source.path}"
    return numbered_categories(highest, what)
