"""Sequences of one examination as the channels of one scan."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import COLOURS, NAMES
from napari_unet_seg.io.common.grids.resampling import resampled, shares_grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

MISSING = "missing"
"""Key in `Scan.meta` of the names of the channels that the examination does not have."""


def stack(sequences: Mapping[str, Scan | None], onto: Scan) -> Scan:
    """Return sequences as the channels of one scan, in their order.

    A sequence of another grid is resampled; one that is missing is 0, which normalisation leaves
    black.

    Parameters
    ----------
    sequences : mapping
        By name; None for a sequence that the examination does not have.
    onto : Scan
        The grid of the result: one of the sequences, or another scan of the examination.

    Returns
    -------
    Scan
        Of the axes of `onto` and `C`, with its path and place; `meta["channels"]` are the names,
        `meta["missing"]` those that are missing, and `meta["notes"]` tell what was resampled.

    Raises
    ------
    DataError
        If there is none of the sequences, one has colours or channels of its own, or its grid is
        another and its place is not known.
    """
    given = {name: scan for name, scan in sequences.items() if scan is not None}
    if not given:
        raise DataError(
            f"{onto.path or 'The scan'} has none of the sequences {listed(list(sequences))}; give "
            "a scan that has one of them."
        )
    planes = {name: _values(name, scan, onto) for name, scan in given.items()}
    data = np.zeros((*onto.grid_shape, len(sequences)), np.result_type(*planes.values()))
    for channel, name in enumerate(sequences):
        if name in planes:
            data[..., channel] = planes[name]
    meta = onto.meta | {
        NAMES: tuple(sequences),
        COLOURS: False,
        MISSING: tuple(name for name in sequences if name not in given),
        "notes": _notes(given, onto),
    }
    return replace(onto, data=data, axes=f"{onto.grid_axes}C", meta=meta)


def missing_note(scan: Scan, *, bears_missing: bool) -> str:
    """Return a sentence on the sequences that a stacked scan lacks; empty if it lacks none.

    Parameters
    ----------
    scan : Scan
        As `stack` returns it, or any other.
    bears_missing : bool
        Whether the network was trained with sequences left out.
    """
    missing = scan.meta.get(MISSING, ())
    if not missing:
        return ""
    note = f"{listed(missing)} {_is(missing)} missing, and black for the network"
    if bears_missing:
        return f"{note}."
    return f"{note}, which was trained with all its sequences; check its mask."


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: `T1, T1c and FLAIR`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _values(name: str, scan: Scan, onto: Scan) -> Array:
    if "C" in scan.axes:
        raise DataError(
            f"{scan.path or name} has {scan.data.shape[-1]} colours or channels, and a sequence "
            "is grey; choose it alone, or give grey images."
        )
    return np.asarray((scan if shares_grid(scan, onto) else resampled(scan, onto)).data)


def _notes(given: Mapping[str, Scan], onto: Scan) -> tuple[str, ...]:
    own = chain.from_iterable(scan.meta.get("notes", ()) for scan in given.values())
    notes = tuple(dict.fromkeys(own))
    moved = [name for name, scan in given.items() if not shares_grid(scan, onto)]
    if not moved:
        return notes
    grid = next((name for name, scan in given.items() if scan.path == onto.path), "the mask")
    return (*notes, f"{listed(moved)} {_is(moved)} put on the grid of {grid} by interpolation.")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
