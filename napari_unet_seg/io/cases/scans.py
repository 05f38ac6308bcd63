"""The scans of a path: the sequences of its cases, as paths that `read_scan` reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Case, Plan, Source


class NamedScan(NamedTuple):
    """A scan of a case."""

    path: Path
    """A file, or the folder of a DICOM series, an OME-Zarr or a stack of slices."""
    name: str
    """Name of the case, with that of the sequence if the case has several."""
    sequence: str = ""
    """Name of the sequence, if it is a part of its path."""
    source: Source | None = None
    """What of the path is read; None for all of a file or a study of DICOM."""


def scans_of(plan: Plan, sequence: str | None = None) -> list[NamedScan]:
    """Return the scans of all cases, in order; a study of DICOM is one, with all its series.

    Parameters
    ----------
    plan : Plan
        The plan of a folder.
    sequence : str, optional
        Name of the only sequence to take, one series of a study for example; by default all.
    """
    found: dict[tuple[Path, Source | None], NamedScan] = {}
    for case in plan.cases:
        for name, source in case.sequences.items():
            if sequence in (None, name):
                whole = source.slices is None and (sequence is None or _is_whole(source))
                own = case.name if source.series else _name(case, name)
                scan = NamedScan(path_of(source), own, *(() if whole else (name, source)))
                found.setdefault((scan.path, scan.source), scan)
    return list(found.values())


class CaseScan(NamedTuple):
    """A case by its first sequence, the scan that is segmented and corrected."""

    path: Path
    """A file, or the folder of a DICOM series, an OME-Zarr or a stack of slices."""
    case: Case

    @property
    def source(self) -> Source:
        """The first sequence; of a file that holds several sequences as channels the whole file."""
        return replace(next(iter(self.case.sequences.values())), channel=None)


def case_scans(plan: Plan) -> list[CaseScan]:
    """Return the cases of a plan, each with the path of its first sequence."""
    return [CaseScan(path_of(next(iter(case.sequences.values()))), case) for case in plan.cases]


def path_of(source: Source) -> Path:
    """Return the path of a source: its file, or the folder of its slices."""
    return source.files[0] if source.slices is None else source.files[0].parent


def _is_whole(source: Source) -> bool:
    return source.series is None and source.channel is None


def _name(case: Case, sequence: str) -> str:
    return case.name if len(case.sequences) == 1 else f"{case.name}_{sequence}"
