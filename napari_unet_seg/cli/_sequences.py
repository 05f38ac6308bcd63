"""The sequences of cases that a model takes as its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.channels import channels_of
from napari_unet_seg.io.cases.scans import path_of, scans_of
from napari_unet_seg.io.common.named_channels import none_of
from napari_unet_seg.io.common.stacking import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.cli._console import Failure
    from napari_unet_seg.io.cases.case import Case, Plan
    from napari_unet_seg.io.cases.channels import Channels
    from napari_unet_seg.io.cases.scans import NamedScan


class Found(NamedTuple):
    """A scan of a folder."""

    path: Path
    """Its file or folder; of several sequences the first one's."""
    channels: Channels = ()
    """Sequences by the names of the model's channels; empty for the file as a whole."""
    case: str = ""
    """Name of the case, if there are channels."""


def find_scans(
    plan: Plan, sequence: str | None, names: Sequence[str]
) -> tuple[list[Found], list[Failure]]:
    """Return the scans of a plan that a model segments, and the cases that it cannot.

    Parameters
    ----------
    plan : Plan
        The plan of a folder.
    sequence : str, optional
        Name of the only sequence to take, for a model of one channel.
    names : sequence of str
        Names of the model's channels; empty if it has none.

    Raises
    ------
    DataError
        If no case has the sequence, or the model takes several by name.
    """
    if sequence and len(names) > 1:
        raise DataError(
            f"The model takes {listed(names)} by their names; leave --sequence {sequence} out."
        )
    if sequence or not names:
        scans = [_found(scan) for scan in scans_of(plan, sequence)]
        if not scans:
            has = ", ".join(plan.sequences)
            raise DataError(f"No case of {plan.root} has the sequence {sequence}; choose {has}.")
        return scans, []
    found, failed = [], []
    for case in plan.cases:
        try:
            found.append(_by_name(case, names))
        except DataError as error:
            failed.append((case.name, str(error)))
    return found, failed


def _found(scan: NamedScan) -> Found:
    if scan.source is None:
        return Found(scan.path)
    return Found(scan.path, ((scan.sequence, scan.source),), scan.name)


def _by_name(case: Case, names: Sequence[str]) -> Found:
    channels = channels_of(case, names)
    given = [source for _, source in channels if source is not None]
    if not given:
        if len(case.sequences) > 1 or next(iter(case.sequences)) != "image":
            raise none_of(case.name, names, list(case.sequences))
        # The file may hold the channels.
        return Found(path_of(next(iter(case.sequences.values()))))
    if len(names) == len(case.sequences) == 1 and given[0].channel is None:
        return Found(path_of(given[0]))
    return Found(path_of(given[0]), channels, case.name)
