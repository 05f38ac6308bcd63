"""Input scans of the program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg import log
from napari_unet_seg.cli._console import warn
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_sequence
from napari_unet_seg.io.cases.scans import NamedScan, scans_of
from napari_unet_seg.io.common.counting import counted, is_or_are
from napari_unet_seg.io.dicom.signature import is_directory_file
from napari_unet_seg.io.distinct_names import distinct_names
from napari_unet_seg.io.provenance import is_written
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Failure
    from napari_unet_seg.io.cases.case import Plan, Source
    from napari_unet_seg.io.common.scan import Scan


@dataclass(frozen=True, slots=True)
class Input:
    """An input scan, and the name of its mask."""

    path: Path
    """A file, or the folder of a DICOM series or an OME-Zarr."""
    name: str
    """Name of the mask, without suffix."""
    source: Source | None = None
    """What of the path is read; None for all of it."""

    def read(self, series: str | None = None) -> Scan:
        """Read the scan.

        Parameters
        ----------
        series : str, optional
            Number or key of a DICOM series, if no sequence of its study was chosen.

        Raises
        ------
        DataError
            If the file is missing or damaged, or its format cannot be read.
        """
        return read_sequence(self.source) if self.source else read_scan(self.path, series)

    def __str__(self) -> str:
        """Return the path, as messages name the scan."""
        return str(self.path)


def list_inputs(
    paths: Sequence[Path], sequence: str | None = None, out: Path | None = None
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

    Returns
    -------
    list of Input
        At least one scan.
    list of Failure
        Paths without a scan, and DICOM folders that cannot be read.

    Raises
    ------
    DataError
        If there is no scan at all.
    """
    found: dict[tuple[Path, Source | None], str] = {}
    failed: list[Failure] = []
    for path in paths:
        try:
            scans, problems = _scans(path, sequence, out)
        except Exception as error:
            scans, problems = [], [(str(path), log.problem(error, path))]
        failed += problems
        found |= {(scan.path, scan.source): scan.name for scan in scans}
    if not found:
        raise DataError(failed[0][1] if failed else f"{out} holds masks only; give the scans.")
    files = [path for path, _ in found]
    counts = Counter(files)
    inputs = [
        # Of two stacks in a folder only the names in the plan tell which is which.
        Input(path, name if counts[path] == 1 else planned, source)
        for ((path, source), planned), name in zip(
            found.items(), distinct_names(files), strict=True
        )
    ]
    return inputs, failed


def _scans(
    path: Path, sequence: str | None, out: Path | None
) -> tuple[list[NamedScan], list[Failure]]:
    """Return the scans at a path, and the problems with what is left out."""
    if not path.exists():
        return [], [(str(path), f"{path} does not exist; check the name or choose another file.")]
    if is_directory_file(path):
        path = path.absolute().parent
    if not path.is_dir() or is_zarr(path):
        return [NamedScan(path, "")], []
    plan = plan_folder(path)
    scans = scans_of(plan, sequence)
    if not scans:
        listed = ", ".join(plan.sequences)
        raise DataError(f"No case of {path} has the sequence {sequence}; choose among {listed}.")
    scans = [scan for scan in scans if out is None or not _is_result(scan.path, out)]
    _warn_of_left_out(plan)
    problems = [(str(left.path), left.reason) for left in plan.left_out if left.is_problem]
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
