"""`predict`: masks of files and folders."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.cli._console import BAD_INPUT, Bar, emit, report_failures, say, warn
from napari_unet_seg.cli._engine import stoppable
from napari_unet_seg.cli._folders import output_folder, remove_abandoned
from napari_unet_seg.cli._inputs import list_inputs
from napari_unet_seg.cli._plans import PlanOnly, needed, print_plans
from napari_unet_seg.cli._settings import settings
from napari_unet_seg.cli._workers import SCAN_TIMEOUT, SCHEDULER, TIMEOUT, WORKERS, open_cluster
from napari_unet_seg.cli.commands.predict.mask_files import (
    MAPS,
    MaskFiles,
    Report,
    write_coco,
    write_files,
)
from napari_unet_seg.cli.commands.predict.segmenter import Segmenter
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.removal.mask_note import mask_note
from napari_unet_seg.io.common.counting import counted, is_or_are
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.io.disk.temporary import remove_litter
from napari_unet_seg.models import checkpoint_path
from napari_unet_seg.models.header import read_header


class Format(StrEnum):
    """Formats of masks."""

    tif = "tif"
    nii = "nii"
    dcm = "dcm"
    zarr = "zarr"
    coco = "coco"


_SUFFIXES = {
    None: "",
    Format.tif: ".tif",
    Format.nii: ".nii.gz",
    Format.dcm: ".dcm",
    Format.zarr: ".zarr",
}
_EXTRAS = {Format.dcm: "highdicom", Format.zarr: "zarr"}


def _help(name: str) -> str:
    return PredictConfig.model_fields[name].description or ""


def _summed(results: list[Report], key: str) -> LeftOut:
    """What was left out of all masks."""
    return sum((LeftOut(**result[key]) for result in results), LeftOut())


def _clear(out: Path) -> None:
    """Remove what predictions that were ended left in a folder for masks."""
    remove_abandoned(out)
    for folder in (out, *(out / name for name in MAPS)):
        remove_litter(folder)


def _summary(results: list[Report], count: int, out: Path) -> str:
    """Return how many of the scans are segmented, and what became of their masks."""
    where = f"; the masks are in {out}" if results else ""
    of, verb = counted(count, "scan"), is_or_are(1 if count == 1 else len(results))
    carried = sum(result["carried"] for result in results)
    note = mask_note(_summed(results, "left_out"), _summed(results, "outside"), carried)
    return " ".join(filter(None, [f"{len(results)} of {of} {verb} segmented{where}.", note]))


def predict(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Scans, or folders of them.")
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the masks.")] = None,
    model: Annotated[
        str, typer.Option(metavar="RUN|bundled|any-sequence|brain", help="The model.")
    ] = "bundled",
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Default: nii for NIfTI and DICOM, zarr for OME-Zarr, else tif."
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|UID", help="The DICOM series to read from a folder that holds several."
        ),
    ] = None,
    channel: Annotated[
        str,
        typer.Option(
            metavar="NUMBER|NAME",
            help="The channel to segment, of scans that hold several; the first by default.",
        ),
    ] = "",
    deidentify: Annotated[
        bool,
        typer.Option("--deidentify", help="Leave the patient's data out of a DICOM SEG."),
    ] = False,
    sequence: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Segment this sequence of each case, for example FLAIR."),
    ] = None,
    plan: PlanOnly = False,
    inside_brain: Annotated[
        bool | None, typer.Option("--inside-brain", help=_help("inside_brain"))
    ] = None,
    probabilities: Annotated[
        bool | None, typer.Option("--probabilities", help=_help("probabilities"))
    ] = None,
    uncertainty: Annotated[
        bool | None, typer.Option("--uncertainty", help=_help("uncertainty"))
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="auto|cpu|cuda|mps", help=_help("device"))
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML or JSON.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    scheduler: Annotated[str, SCHEDULER] = "",
    workers: Annotated[int | None, WORKERS] = None,
    scan_timeout: Annotated[float, SCAN_TIMEOUT] = TIMEOUT,
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Segment scans: TIFF, PNG, JPEG, NIfTI, DICOM, OME-Zarr, .npy.

    In a folder the scans of all patients are segmented: slices that are numbered files are one
    scan, a DICOM study is one, and masks are left out. What the files of a folder are taken for is
    shown with --plan. A model of several sequences finds them in each case by their names. Masks
    have the grid of the scan, and store their provenance. Maps are written as TIFF into the folders
    probabilities, uncertainty and disagreement. With --format coco all masks are in
    annotations.json; with --format dcm the mask of a DICOM series is a DICOM SEG, which names the
    patient unless --deidentify is given. If --out is the folder that holds an OME-Zarr, its mask is
    added to its labels.

    Many scans are distributed over several processes, by default on a large machine, and with
    --scheduler over other machines; a scan that fails at one worker is tried once more at another.

    Example: napari-unet-seg predict scan.nii.gz slices/ --out masks --uncertainty
    """
    if plan:
        return print_plans(inputs)
    out = needed(out, "the masks")
    named = {
        "inside_brain": inside_brain,
        "probabilities": probabilities,
        "uncertainty": uncertainty,
        "device": device,
    }
    chosen = settings(PredictConfig(), config, set_ or (), named)
    checkpoint = checkpoint_path(model)
    if deidentify and format_ is not Format.dcm:
        raise DataError("--deidentify is for DICOM SEG; give --format dcm too, or leave it out.")
    if format_ in _EXTRAS:
        require(_EXTRAS[format_])
    if scheduler:
        # Workers may have another working folder.
        inputs, out = [path.absolute() for path in inputs], out.absolute()
    items, failed = list_inputs(inputs, sequence, out, read_header(checkpoint).sequences)
    with stoppable() as stop, Bar("Segmenting", "scans", quiet=json) as bar:
        opened = open_cluster(scheduler, workers, len(items), scan_timeout)
        with opened as cluster, output_folder(out):
            _clear(out)
            segmenter = Segmenter(chosen, checkpoint, out, stop, bar, series, channel, cluster)
            if format_ is Format.coco:
                results, problems = write_coco(segmenter, items, out)
            else:
                results, problems = write_files(
                    segmenter, items, MaskFiles(out, _SUFFIXES[format_], not deidentify)
                )
    failed += problems
    if json:
        listed = [{"input": name, "problem": problem} for name, problem in failed]
        emit({"model": segmenter.model, "out": out, "results": results, "failed": listed})
    else:
        say(_summary(results, len(items), out))
    report_failures(failed)
    if stop:
        warn("Stopped; the finished masks are kept.")
        return stop.exit_code
    return BAD_INPUT if failed else 0
