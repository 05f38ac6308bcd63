"""`refine`: the mask of the objects that prompts mark in a scan."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer

from napari_unet_seg.cli._console import BAD_INPUT, Bar, Failure, emit, report_failures, say, warn
from napari_unet_seg.cli._engine import Stop, engine, follow, stoppable
from napari_unet_seg.cli._folders import make_folder
from napari_unet_seg.cli.commands.predict.mask_files import check_not_scan
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import DeviceFallback, ScanRefined, SliceCarried, SliceRefined
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.models import checkpoint_path
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.prompts.entries import Prompts

_EXTRAS = {".dcm": "highdicom", ".zarr": "zarr"}


class Refined(NamedTuple):
    """What was found."""

    result: ScanRefined | None
    """None if it was stopped."""
    slices: Counter[int]
    """Slices on which each object was found, by its number."""


def refine(
    scans: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCAN...", help="The scan, and further sequences on its grid to look at too."
        ),
    ],
    prompts: Annotated[
        Path, typer.Option(metavar="JSON|CSV", help="Points, strokes and boxes of its objects.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="MASK", help="The mask: .tif, .nii.gz, .dcm or .zarr.")
    ],
    carry: Annotated[
        bool,
        typer.Option("--carry", help="Carry each object up and down through its volume."),
    ] = False,
    model: Annotated[
        str, typer.Option(metavar="RUN|prompts", help="A model that follows prompts.")
    ] = "prompts",
    series: Annotated[
        str | None, typer.Option(metavar="NUMBER|UID", help="The DICOM series of a folder.")
    ] = None,
    channel: Annotated[
        str, typer.Option(metavar="NUMBER|NAME", help="The channel of a scan with several.")
    ] = "",
    deidentify: Annotated[
        bool, typer.Option("--deidentify", help="Leave the patient's data out of a DICOM SEG.")
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to run the network.")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Report as one line of JSON.")] = False,
) -> int:
    """Make a mask of the objects that points, strokes and boxes mark in a scan.

    Coordinates are voxels of the file, or millimetres. In a table each row is a point. The mask has
    the grid of the scan, and the values of its categories are numbered as they come in the file. An
    object of which nothing is found is named, and the others are written.

    The network looks at all sequences that are given, and averages what it finds.

    Example: napari-unet-seg refine flair.nii.gz --prompts points.csv --carry --out lesions.nii.gz
    """
    from napari_unet_seg.io.prompts.read import read_prompts
    from napari_unet_seg.io.provenance import check_ours
    from napari_unet_seg.io.write import check_suffix, write_mask
    from napari_unet_seg.io.zarr.read import is_zarr

    check_suffix(out)
    if extra := _EXTRAS.get(out.suffix.lower()):
        require(extra)
    if deidentify and out.suffix.lower() != ".dcm":
        raise DataError("--deidentify is for DICOM SEG; give --out a name that ends with .dcm.")
    for each in scans:
        check_not_scan(out, each)
    if not is_zarr(scans[0]):  # a mask goes among the labels of such a scan
        check_ours(out)
    checkpoint, read = checkpoint_path(model), read_prompts(prompts)
    image, *others = (_image(each, series, channel, checkpoint) for each in scans)
    config = PredictConfig().replace(device=device)
    with stoppable() as stop, Bar("Refining", "slices", quiet=json) as bar:
        how = {"carry": carry, "others": others, "source": str(prompts)}
        found = _refined((config, checkpoint, image, read), how, stop, bar)
    if found.result is None:
        warn("Stopped; nothing was written.")
        return stop.exit_code
    described = _provenance(scans[0], prompts, found.result, checkpoint)
    make_folder(out.absolute().parent)
    write_mask(out, found.result.labels, image, described, identified=not deidentify)
    failed = _not_found(read, found.slices, prompts)
    _report(out, read, found, failed, json=json)
    return BAD_INPUT if failed else 0


def _image(scan: Path, series: str | None, channel: str, checkpoint: Path) -> "Scan":
    """Read a scan, or the channel of it that a model takes; notes on it are told."""
    from napari_unet_seg.io.common.channels import for_model
    from napari_unet_seg.io.common.named_channels import by_name
    from napari_unet_seg.io.read import read_scan

    info = read_header(checkpoint)
    image = read_scan(scan, series)
    notes = image.meta.get("notes", ())
    image, chosen = for_model(by_name(image, info.sequences), info.model.in_channels, channel)
    for note in (*notes, f"{chosen} Choose another by --channel." if chosen else ""):
        if note:
            warn(f"{scan}: {note}")
    return image


def _refined(asked: tuple[Any, ...], how: dict[str, Any], stop: Stop, bar: Bar) -> Refined:
    """Ask the network in the engine's process, and show how far it is."""
    events = engine().stream("napari_unet_seg.prompting.refine_scan:refine_scan", *asked, **how)
    result, on = None, {}
    done, count, number = 0, 1, 1
    for event in follow(events, stop):
        if isinstance(event, SliceRefined):
            done, count, number = event.done, event.count, event.number
        if isinstance(event, SliceRefined | SliceCarried):
            on[number, event.index] = bool(event.mask.any())
            bar.update(done, count, f"object {number}, {counted(len(on), 'slice')} looked at")
        elif isinstance(event, DeviceFallback):
            warn(event.message)
        else:
            result = event
    return Refined(result, Counter(key[0] for key, is_found in on.items() if is_found))


def _provenance(scan: Path, prompts: Path, result: ScanRefined, checkpoint: Path) -> dict[str, Any]:
    from napari_unet_seg.io.hashing import sha256
    from napari_unet_seg.io.provenance import provenance

    model = {"path": str(checkpoint), "sha256": sha256(checkpoint)}
    origin = provenance(scan, result.categories, model)
    return origin | {"prompts": prompts.name, "prompts_sha256": sha256(prompts)}


def _not_found(prompts: "Prompts", slices: Counter[int], source: Path) -> list[Failure]:
    return [
        (
            f"{source}: object {number}",
            f"{source}: object {number} ({one.category}) was not found where it is marked; mark it "
            "with a stroke or a box.",
        )
        for number, one in enumerate(prompts.objects, 1)
        if not slices[number]
    ]


def _report(
    out: Path, prompts: "Prompts", found: Refined, failed: list[Failure], *, json: bool
) -> None:
    result = found.result
    assert result is not None
    if json:
        sizes = np.bincount(result.labels.ravel(), minlength=len(result.categories) + 1)[1:]
        pixels = {c.name: int(n) for c, n in zip(result.categories, sizes, strict=True)}
        objects = [
            {"category": one.category, "slices": found.slices[number]}
            for number, one in enumerate(prompts.objects, 1)
        ]
        emit(
            {
                "mask": out,
                "objects": objects,
                "pixels": pixels,
                "certainty": np.round(result.certainty.astype(float), 3).tolist(),
                "device": result.device,
                "seconds": round(result.seconds, 3),
                "failed": [problem for _, problem in failed],
            }
        )
    else:
        number = len(prompts.objects) - len(failed)
        where = counted(sum(found.slices.values()), "slice")
        say(f"{counted(number, 'object')} on {where} {'is' if number == 1 else 'are'} in {out}.")
    report_failures(failed)
