"""Input scans of the program."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg import log
from napari_unet_seg.cli._console import warn
from napari_unet_seg.cli._sequences import Found, find_scans
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.common.counting import counted, is_or_are
from napari_unet_seg.io.common.names import free_name
from napari_unet_seg.io.dicom.signature import is_directory_file
from napari_unet_seg.io.distinct_names import distinct_names
from napari_unet_seg.io.provenance import is_written
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Failure
    from napari_unet_seg.io.cases.case import Plan
    from napari_unet_seg.io.cases.channels import Channels


@dataclass(frozen=True, slots=True)
class Input:
    """An input scan, and the name of its mask."""

    path: Path
    """A file, or the folder of a DICOM series or an OME-Zarr."""
    name: str
    """Name of the mask, without suffix."""
    channels: Channels = ()
    """Sequences of a case by the names of the model's channels; empty for the file as a whole."""

    def __str__(self) -> str:
        """Return the path, as messages name the scan."""
        return str(self.path)


def list_inputs(
    paths: Sequence[Path],
    sequence: str | None = None,
    out: Path | None = None,
    names: Sequence[str] = (),
) -> tuple[list[Input], list[Failure]]:
    """Find the scans in files and folders; what a folder's plan leaves out is told.

    Parameters
    ----------
    paths : sequence of Path
        As the user gave them.
    sequence : str, optional
        Name of the only sequence to take from the cases of folders.
    out : Path, optional
        Folder of the masks. What this program has written there before is no scan of a folder.
    names : sequence of str
        Names of the model's channels, which the sequences of cases are found by.

    Returns
    -------
    list of Input
        At least one scan.
    list of Failure
        Paths without a scan, cases without a sequence of the model, and DICOM folders that cannot
        be read.

    Raises
    ------
    DataError
        If there is no scan at all.
    """
    found: dict[Found, None] = {}
    failed: list[Failure] = []
    for path in paths:
        try:
            scans, problems = _scans(path, sequence, out, names)
        except Exception as error:
            scans, problems = [], [(str(path), log.problem(error, path))]
        failed += problems
        found |= dict.fromkeys(scans)
    if not found:
        raise DataError(failed[0][1] if failed else f"{out} holds masks only; give the scans.")
    return list(_named(found)), failed


def _named(found: Iterable[Found]) -> Iterator[Input]:
    """Yield the scans with names of their own: those of cases, or those of their files."""
    files = [scan.path for scan in found if not scan.channels]
    names = dict(zip(files, distinct_names(files), strict=True))
    taken = set(names.values())
    for path, channels, case in found:
        name = free_name(case, taken) if channels else names[path]
        taken.add(name)
        yield Input(path, name, channels)


def _scans(
    path: Path, sequence: str | None, out: Path | None, names: Sequence[str]
) -> tuple[list[Found], list[Failure]]:
    """Return the scans at a path, and the problems with what is left out."""
    if not os.path.exists(path):
        return [], [(str(path), f"{path} does not exist; check the name or choose another file.")]
    if is_directory_file(path):
        path = path.absolute().parent
    if not os.path.isdir(path) or is_zarr(path):
        return [Found(path)], []
    plan = plan_folder(path)
    scans, problems = find_scans(plan, sequence, names)
    scans = [scan for scan in scans if out is None or not _is_result(scan.path, out)]
    _warn_of_left_out(plan)
    problems += [(str(left.path), left.reason) for left in plan.left_out if left.is_problem]
    return scans, problems


def _is_result(scan: Path, out: Path) -> bool:
    return scan.resolve().is_relative_to(out.resolve()) and is_written(scan)


def _warn_of_left_out(plan: Plan) -> None:
    masks = [path for case in plan.cases for mask in case.masks.values() for path in mask.files]
    names = [path.name for path in masks]
    names += [left.path.name for left in plan.left_out if not left.is_problem]
    if names:
        named = ", ".join(names[:3]) + ", …" * (len(names) > 3)
        warn(
            f"{plan.root} holds {counted(len(names), 'mask or other file')}, which "
            f"{is_or_are(len(names))} left out: {named}; see why with --plan, or name a file "
            "itself to segment it."
        )
