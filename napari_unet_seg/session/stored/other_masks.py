"""The other masks of a session's case: their record, and how they are opened again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.cases.read import read_mask_among
from napari_unet_seg.session.stored.case_files import MaskRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan


class OtherMask(NamedTuple):
    """A mask beside the one that a session corrects, as it is in its files."""

    layer: str
    """Name of its layer."""
    source: Source
    categories: tuple[Category, ...]
    labels: Scan
    """On the grid of its sequence."""
    sequence: int
    """Number of the sequence that it was drawn on, the scan of the session being 0."""


def record_mask(layer: str, source: Source, categories: Sequence[Category]) -> MaskRecord:
    """Return the record of a mask that is in files."""
    return MaskRecord(
        layer=layer,
        paths=tuple(str(path.absolute()) for path in source.files),
        slices=source.slices,
        unreviewed=source.unreviewed,
        categories=tuple(categories),
    )


def open_masks(
    records: Iterable[MaskRecord], scans: Sequence[Scan]
) -> tuple[list[OtherMask], list[str]]:
    """Open the other masks of a session as their files are now.

    Parameters
    ----------
    records : iterable of MaskRecord
        The masks.
    scans : sequence of Scan
        The scan of the session, and the other sequences of its case.

    Returns
    -------
    list of OtherMask
        The masks that can be read.
    list of str
        Why others were not opened, a sentence each: the session goes on without them.
    """
    opened, problems = [], []
    for record in records:
        files = tuple(map(Path, record.paths))
        source = Source(files, slices=record.slices, unreviewed=record.unreviewed)
        try:
            number, labels = read_mask_among(source, scans)
        except DataError as error:
            problems.append(f"The mask {record.layer} was not opened again. {error}")
        else:
            opened.append(OtherMask(record.layer, source, record.categories, labels, number))
    return opened, problems
