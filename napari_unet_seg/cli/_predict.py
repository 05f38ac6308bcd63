"""`predict`: masks of files and folders."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.cli._console import Bar, emit, say, warn
from napari_unet_seg.cli._inputs import list_inputs
from napari_unet_seg.cli._outputs import write_coco, write_files
from napari_unet_seg.cli._scratch import remove_left
from napari_unet_seg.cli._segment import Segmenter
from napari_unet_seg.cli._settings import settings
from napari_unet_seg.cli._sharing import SCHEDULER, WORKERS, shared_out
from napari_unet_seg.cli._work import BAD_INPUT, output_folder, report_failures, stoppable
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.models import checkpoint_path


class Format(StrEnum):
    """How masks are stored."""

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


def predict(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Scans, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the masks.")],
    model: Annotated[str, typer.Option(metavar="RUN|bundled", help="The model.")] = "bundled",
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Default: nii for NIfTI and DICOM, zarr for OME-Zarr, else tif."
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|UID", help="The DICOM series to take of a folder that holds several."
        ),
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
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Segment scans: TIFF, PNG, JPEG, NIfTI, DICOM, OME-Zarr, .npy.

    A folder of DICOM files is one scan; of any other folder every scan in it is segmented, but not
    DICOM files among them. Masks have the scan's grid and say where they come from. Maps go as
    TIFF into folders of their names. With --format coco all masks go into
    annotations.json; with --format dcm the mask of a DICOM series is a DICOM SEG. If --out is the
    folder that an OME-Zarr stands in, its mask goes among its labels.

    Many scans are shared out to several processes, on a large machine without being asked, and
    with --scheduler to other machines; a scan that fails at one is tried once at another.

    Example: napari-unet-seg predict scan.nii.gz slices/ --out masks --uncertainty
    """
    named = {"probabilities": probabilities, "uncertainty": uncertainty, "device": device}
    how = settings(PredictConfig(), config, set_ or (), named)
    checkpoint = checkpoint_path(model)
    if format_ in _EXTRAS:
        require(_EXTRAS[format_])
    if scheduler:
        # Its workers have a working folder of their own.
        inputs, out = [path.absolute() for path in inputs], out.absolute()
    items, failed = list_inputs(inputs)
    with stoppable() as stop, Bar("Segmenting", "scans", quiet=json) as bar:
        shared = shared_out(scheduler, workers, len(items))
        with shared as cluster, output_folder(out):
            remove_left(out)
            segmenter = Segmenter(how, checkpoint, out, stop, bar, series, cluster)
            if format_ is Format.coco:
                results, problems = write_coco(segmenter, items, out)
            else:
                results, problems = write_files(segmenter, items, out, _SUFFIXES[format_])
    failed += problems
    if json:
        listed = [{"input": name, "problem": problem} for name, problem in failed]
        emit({"model": segmenter.model, "out": out, "results": results, "failed": listed})
    else:
        where = f"; the masks are in {out}" if results else ""
        say(f"{len(results)} of {len(items)} scans are segmented{where}.")
    report_failures(failed)
    if stop:
        warn("Stopped; the masks that were done are kept.")
        return stop.exit_code
    return BAD_INPUT if failed else 0
