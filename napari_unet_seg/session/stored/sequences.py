"""The other sequences of a session's case: their record, and how they are opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.errors import DataError
from napari_unet_seg.session.stored.case_files import Placement, SequenceRecord
from napari_unet_seg.session.stored.scan import describe, files_of, open_scan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan


class OtherSequence(NamedTuple):
    """A sequence beside the one that the mask of a session was made from."""

    name: str
    """Name of the sequence, `FLAIR` for example; empty if it is not known."""
    layer: str
    """Name of its layer."""
    scan: Scan
    channel: int | None = None
    """The channel of the scan's file that it is; None for the whole file."""
    placement: Placement | None = None
    """None if the layer has the geometry of the file."""


def record_sequences(sequences: Iterable[OtherSequence]) -> tuple[SequenceRecord, ...]:
    """Return the records of sequences; sequences that are in no file of their own are left out.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    files = ((each, files_of(each.scan, each.channel)) for each in sequences)
    return tuple(
        SequenceRecord(
            layer=each.layer,
            scan=describe(each.scan, paths, each.name, each.channel),
            placement=each.placement,
        )
        for each, paths in files
        if paths
    )


def open_sequences(
    records: Iterable[SequenceRecord], folder: Path
) -> tuple[list[OtherSequence], list[str]]:
    """Open the other sequences of a session in a folder.

    Returns
    -------
    list of OtherSequence
        The sequences whose files are as they were.
    list of str
        Why others were not opened, a sentence each: the session goes on without them.
    """
    opened, problems = [], []
    for record in records:
        try:
            scan = open_scan(record.scan, folder)
        except DataError as error:
            problems.append(str(error))
        else:
            own = record.scan.sequence, record.layer, scan, record.scan.channel, record.placement
            opened.append(OtherSequence(*own))
    return opened, problems
