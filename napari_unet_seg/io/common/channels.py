"""The channels of a scan: the colours of a picture, or the sequences of an examination."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari_unet_seg.io.common.scan import Scan

NAMES = "channels"
"""Key of the names of the channels in `Scan.meta`."""
COLOURS = "colours"
"""Key in `Scan.meta` of whether the file itself says that its channels are colours."""


def are_colours(dtype: Any, count: int) -> bool:
    """Whether channels of which nothing more is known are colours: three or four of uint8."""
    return count in (3, 4) and np.dtype(dtype) == np.uint8


def is_colour(scan: Scan) -> bool:
    """Whether the channels of a scan are the colours of one picture.

    Three or four channels of another dtype than uint8, or with names, are sequences, unless the
    file says otherwise.
    """
    if "C" not in scan.axes:
        return False
    count = scan.data.shape[-1]
    named = len(scan.meta.get(NAMES, ())) == count
    told: bool | None = scan.meta.get(COLOURS)
    if told is not None:
        return told and count in (3, 4)
    return are_colours(scan.data.dtype, count) and not named


def channel_names(scan: Scan) -> list[str]:
    """Return a name for each channel: the file's, or a number from 1."""
    count = scan.data.shape[-1]
    stored = scan.meta.get(NAMES, ())
    given = stored if len(stored) == count else [""] * count
    return [name or f"channel {number}" for number, name in enumerate(given, 1)]


def one_channel(scan: Scan, index: int) -> Scan:
    """Return one channel of a scan, as a scan without channels."""
    meta = {key: value for key, value in scan.meta.items() if key not in (NAMES, COLOURS)}
    return replace(scan, data=scan.data[..., index], axes=scan.grid_axes, meta=meta)


def for_model(scan: Scan, wanted: int, channel: str = "") -> tuple[Scan, str]:
    """Return what a model of some channels takes of a scan, and a note if that was a choice.

    A model of one channel takes one of several sequences; colours stay, and become grey later.

    Parameters
    ----------
    scan : Scan
        With or without channels.
    wanted : int
        Number of channels of the model.
    channel : str
        Number from 1, or name, of the channel; by default the first.

    Raises
    ------
    DataError
        If the scan has several channels, and none of this number or name.
    """
    if wanted != 1 or "C" not in scan.axes or is_colour(scan):
        return scan, ""
    names = channel_names(scan)
    one = one_channel(scan, _index(scan, names, channel))
    if channel or len(names) == 1:
        return one, ""
    listed = ", ".join(f"{number}: {name}" for number, name in enumerate(names, 1))
    return one, f"Of {len(names)} channels ({listed}) the first is used."


def _index(scan: Scan, names: list[str], channel: str) -> int:
    if not channel:
        return 0
    if channel.isdigit() and 0 < int(channel) <= len(names):
        return int(channel) - 1
    folded = [name.casefold() for name in names]
    if folded.count(channel.casefold()) != 1:
        raise DataError(
            f"{scan.path or 'The scan'} has no channel {channel}; choose a number from 1 to "
            f"{len(names)}, or one of the names {', '.join(names)}."
        )
    return folded.index(channel.casefold())
