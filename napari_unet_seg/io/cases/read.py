"""Reading of the sequences and masks of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.scans import path_of
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.images.slice_stacks import read_slices
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.cases.case import Case, Source
    from napari_unet_seg.io.common.scan import Scan


def read_sequence(source: Source) -> Scan:
    """Read a sequence as a scan; the slices of a stack are read when they are needed.

    Returns
    -------
    Scan
        As of `read_scan`; for a stack of axes `ZYX`, or `ZYXC` for coloured slices, with the first
        slice's pixel size and 1 along Z; `meta["paths"]` are its files.

    Raises
    ------
    DataError
        If a file cannot be read, or the slices of a stack differ in size or type.
    """
    if source.slices is not None:
        return read_slices(source.files, path_of(source))
    scan = read_scan(source.files[0], source.series)
    return scan if source.channel is None else channel_of(scan, source.channel)


def read_mask(source: Source, scan: Scan) -> Scan:
    """Read a mask of a sequence; slices of a stack without a mask of their own are unreviewed.

    Returns
    -------
    Scan
        On the grid of the scan; `meta["soft"]` is True if soft edges were cut at half, and
        `meta["apart"]` says by how much a volume lies elsewhere than the scan, see `misplacement`.

    Raises
    ------
    DataError
        If a file cannot be read, or the mask's voxels are not the scan's.
    """
    if source.slices is None:
        mask = turned_onto(_labels(source), scan, (str(source.files[0]), "its scan"))
    else:
        mask = _mask_stack(source, scan)
    if mask.grid_shape != scan.grid_shape:
        raise DataError(
            f"{source.files[0]} is on a grid of {mask.grid_shape} and its scan on "
            f"{scan.grid_shape}; give the mask that was made on this scan."
        )
    return replace(mask, meta=mask.meta | {"apart": misplacement(scan, mask)})


def _labels(source: Source) -> Scan:
    mask = read_labels(source.files[0])
    if source.unreviewed is None:
        return mask
    labels = np.where(mask.data == source.unreviewed, IGNORE_INDEX, mask.data)
    return replace(mask, data=labels)


def read_mask_among(source: Source, scans: Iterable[Scan]) -> tuple[int, Scan]:
    """Read a mask on the grid of the sequence that it was drawn on.

    Parameters
    ----------
    source : Source
        The mask.
    scans : iterable of Scan
        The sequences that come into question, read one after the other.

    Returns
    -------
    int, Scan
        The number of the first sequence whose voxels the mask's are; else of the first on the same
        grid, but in another place. The mask is as of `read_mask`.

    Raises
    ------
    DataError
        If the mask cannot be read, or is on the grid of no sequence; the error is that of the
        first.
    """
    apart: list[tuple[int, Scan]] = []
    errors: list[DataError] = []
    for number, scan in enumerate(scans):
        try:
            mask = read_mask(source, scan)
        except DataError as error:
            errors.append(error)
            continue
        if not mask.meta["apart"]:
            return number, mask
        apart.append((number, mask))
    if not apart:
        raise errors[0]
    return apart[0]


class PlacedMask(NamedTuple):
    """The mask of a case, and where it lies."""

    sequence: Source
    """The sequence on whose voxels the mask is."""
    scan: Scan
    """This sequence."""
    labels: Scan
    """The mask, as of `read_mask`."""


def read_case_mask(case: Case, first: Iterable[Source] = ()) -> PlacedMask:
    """Read the first mask of a case on the grid of the first of its sequences that it fits.

    Parameters
    ----------
    case : Case
        A case with a mask.
    first : iterable of Source
        Those of its sequences that come into question before the others.

    Raises
    ------
    DataError
        As of `read_mask_among`.
    """
    sources = list(dict.fromkeys((*first, *case.sequences.values())))
    scans: list[Scan] = []

    def read() -> Iterator[Scan]:
        for source in sources:
            scans.append(read_sequence(source))
            yield scans[-1]

    number, labels = read_mask_among(next(iter(case.masks.values())), read())
    return PlacedMask(sources[number], scans[number], labels)


def _mask_stack(source: Source, scan: Scan) -> Scan:
    labels: Array = np.full(scan.grid_shape, IGNORE_INDEX, np.uint8)
    soft, description = False, None
    for number, path in zip(source.slices or (), source.files, strict=True):
        found = read_labels(path)
        mask, soft = found.data, soft or found.meta["soft"]
        description = description or found.meta.get("description")
        if mask.shape != labels.shape[1:]:
            raise DataError(
                f"{path} is of shape {mask.shape} and its slice of {labels.shape[1:]}; give the "
                "mask that was made on this slice."
            )
        labels = labels.astype(np.promote_types(labels.dtype, mask.dtype), copy=False)
        labels[number] = mask
    meta = {"soft": soft, "description": description}
    return replace(scan, data=labels, axes=scan.grid_axes, meta=meta)


def channel_of(scan: Scan, number: int) -> Scan:
    """Return a channel of a scan: along C, or along T, as which NIfTI stores channels.

    Raises
    ------
    DataError
        If the scan has no such channel.
    """
    axis = scan.axes.find("C") if "C" in scan.axes else scan.axes.find("T")
    if axis < 0 or number >= scan.data.shape[axis]:
        raise DataError(
            f"{scan.path} has no channel {number}; correct the names of the channels in the "
            "dataset.json beside it."
        )
    spacing = scan.spacing
    if scan.axes[axis] == "T":
        spacing = (*spacing[:axis], *spacing[axis + 1 :])
    data = np.take(scan.data, number, axis)
    return replace(scan, data=data, axes=scan.axes[:axis] + scan.axes[axis + 1 :], spacing=spacing)
