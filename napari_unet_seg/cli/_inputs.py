"""Input scans of the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from napari_unet_seg import log
from napari_unet_seg.cli._console import say, table, warn
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.dicom.signature import holds_dicom
from napari_unet_seg.io.find import find_scans, masks_beside_scans, no_scans, scan_files
from napari_unet_seg.io.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Failure
    from napari_unet_seg.io.cases.case import Source


PlanOnly = Annotated[
    bool,
    typer.Option("--plan", help="Show what the files of the folder are taken for, and stop."),
]
_SHOWN = 20
"""Most cases, and most files that are left out, in a table."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input scan, and the name of its mask."""

    path: Path
    """A file, or the folder of a DICOM series or an OME-Zarr."""
    name: str
    """Name of the mask, without suffix."""

    def __str__(self) -> str:
        """Return the path, as messages name the scan."""
        return str(self.path)


def list_inputs(paths: Sequence[Path]) -> tuple[list[Input], list[Failure]]:
    """Find the scans in files and folders; masks beside their scans are left out, with a warning.

    Parameters
    ----------
    paths : sequence of Path
        As the user gave them.

    Returns
    -------
    list of Input
        At least one scan.
    list of Failure
        Paths without a scan, and paths with DICOM files that are skipped.

    Raises
    ------
    DataError
        If there is no scan at all.
    """
    found: dict[Path, None] = {}
    failed: list[Failure] = []
    for path in paths:
        try:
            scans, problem = _scans(path)
        except Exception as error:
            scans, problem = [], log.problem(error, path)
        if problem:
            failed.append((str(path), problem))
        found |= dict.fromkeys(scans)
    if not found:
        raise DataError(failed[0][1])
    files = list(found)
    return [Input(*pair) for pair in zip(files, distinct_names(files), strict=True)], failed


def _scans(path: Path) -> tuple[list[Path], str]:
    """Return the scans at a path, and the problem with what is left out."""
    scans = find_scans(path)
    if not scans:
        return scans, _missing(path)
    _warn_of_masks(path, scans)
    mixed = path.is_dir() and path not in scans and holds_dicom(path, below=False)
    return scans, _mixed(path) if mixed else ""


def _warn_of_masks(path: Path, scans: Sequence[Path]) -> None:
    if scans in ([], [path]):
        return
    masks = [mask.name for mask in masks_beside_scans(scan_files(path))]
    if masks:
        named = ", ".join(masks[:3]) + ", …" * (len(masks) > 3)
        warn(
            f"{path} holds masks beside their scans, and these {len(masks)} are left out: {named}; "
            "name a file itself to segment it."
        )


def _mixed(folder: Path) -> str:
    return (
        f"{folder} holds DICOM files and other scans, and the DICOM files are skipped; move them "
        "to another folder."
    )


def _missing(path: Path) -> str:
    if path.exists():
        return str(no_scans(path))
    return f"{path} does not exist; check the name or choose another file."


def print_plan(folder: Path) -> int:
    """Print what the files of a folder are taken for; return the exit code."""
    plan = plan_folder(folder.absolute())
    say(f"{folder}: {plan.layout} ({plan.why}), {len(plan.cases)} cases.")
    rows = [("case", "patient", "visit", "split", "sequences", "masks", "recognised by")]
    for case in plan.cases[:_SHOWN]:
        scans, masks = _sources(case.sequences), _sources(case.masks)
        rows.append((case.name, case.patient, case.visit, case.split or "", scans, masks, case.why))
    say(table(rows))
    _say_more(len(plan.cases), "cases")
    for left in plan.left_out[:_SHOWN]:
        say(f"left out: {left.path.relative_to(plan.root)} ({left.reason})")
    _say_more(len(plan.left_out), "files are left out")
    return 0


def _sources(named: dict[str, Source]) -> str:
    """Return the names of sequences or masks, with the number of slices of each stack."""
    return ", ".join(
        name if source.slices is None else f"{name} ({len(source.files)} slices)"
        for name, source in named.items()
    )


def _say_more(count: int, what: str) -> None:
    if count > _SHOWN:
        say(f"… and {count - _SHOWN} more {what}.")
