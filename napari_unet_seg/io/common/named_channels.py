"""The channels of a scan that a network takes by their names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import COLOURS, NAMES, is_colour, one_channel
from napari_unet_seg.io.common.names import sequence_in
from napari_unet_seg.io.common.stacking import listed, stack
from napari_unet_seg.io.disk.files import split_suffix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.io.common.scan import Scan


def by_name(scan: Scan, names: Sequence[str]) -> Scan:
    """Return a scan with the channels that a network takes by name, in the network's order.

    Channels without names are taken in their order, the fourth dimension of a NIfTI file too. A
    scan of one sequence is the channel that the name of its file tells. A network of one sequence
    takes any scan of one.

    Parameters
    ----------
    scan : Scan
        A file, or what `stack` returned.
    names : sequence of str
        Names of the network's channels; empty if it has none.

    Raises
    ------
    DataError
        If the scan has names, or none, and no channel of the network is among them.
    """
    if not names or is_colour(scan):
        return scan
    scan = _with_channels(scan, len(names))
    if "C" not in scan.axes:
        return scan if len(names) == 1 else _by_file(scan, names)
    own = scan.meta.get(NAMES, ())
    if len(own) != scan.data.shape[-1] or tuple(own) == tuple(names):
        return scan
    found = find_names(names, own)
    if len(names) == 1 and found[names[0]] is None:
        return scan  # the user chooses the channel
    if not any(found.values()):
        raise none_of(scan, names, own)
    places = [None if of is None else own.index(of) for of in found.values()]
    if None not in places and len(names) > 1:
        meta = scan.meta | {NAMES: tuple(names), COLOURS: False}
        return replace(scan, data=scan.data[..., places], meta=meta)
    grey = {
        name: None if place is None else one_channel(scan, place)
        for name, place in zip(names, places, strict=True)
    }
    first = next(one for one in grey.values() if one is not None)
    return first if len(names) == 1 else stack(grey, first)


def find_names(wanted: Iterable[str], given: Iterable[str]) -> dict[str, str | None]:
    """Return for each name that is wanted the one that is given; `t1ce` for `T1c` for example."""
    given = list(given)
    by_kind = {_kind(name): name for name in reversed(given)}
    by_key = by_kind | {name.casefold(): name for name in given}
    return {name: by_key.get(name.casefold()) or by_key.get(_kind(name)) for name in wanted}


def none_of(scan: Scan | str, names: Sequence[str], given: Sequence[str]) -> DataError:
    """Return the error for a scan that has none of the sequences of a network."""
    name = scan if isinstance(scan, str) else scan.path or "The scan"
    has = f"; it has {listed(given)}" if given else ""
    return DataError(
        f"{name} has none of the sequences that the model takes, {listed(names)}{has}. Choose "
        "another model, or the folder of a case with one of them."
    )


def _kind(name: str) -> str:
    return (sequence_in(name) or name).casefold()


def _with_channels(scan: Scan, count: int) -> Scan:
    """Return a scan of a fourth dimension with its channels last, if it has as many."""
    axis = scan.axes.find("T")
    if count < 2 or "C" in scan.axes or axis < 0 or scan.data.shape[axis] != count:
        return scan
    data, spacing = np.moveaxis(scan.data, axis, -1), list(scan.spacing)
    del spacing[axis]
    axes = scan.axes.replace("T", "") + "C"
    return replace(scan, data=data, axes=axes, spacing=tuple(spacing))


def _by_file(scan: Scan, names: Sequence[str]) -> Scan:
    told = sequence_in(split_suffix(scan.path)[0]) if scan.path else None
    found = find_names(names, [told] if told else [])
    if not any(found.values()):
        raise none_of(scan, names, [told] if told else [])
    return stack({name: scan if of else None for name, of in found.items()}, scan)
