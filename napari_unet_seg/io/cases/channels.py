"""Several sequences of a case as the channels of one scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.read import channel_of, read_sequence
from napari_unet_seg.io.common.named_channels import find_names
from napari_unet_seg.io.common.stacking import stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.io.cases.case import Case, Source
    from napari_unet_seg.io.common.scan import Scan

Channels = tuple[tuple[str, "Source | None"], ...]
"""Names of the channels in order, each with its sequence; None where the case has none."""


def channels_of(case: Case, names: Sequence[str]) -> Channels:
    """Return the sequences of a case by the names of a network's channels."""
    found = find_names(names, case.sequences)
    return tuple((name, case.sequences[of] if of else None) for name, of in found.items())


def read_channels(channels: Channels, onto: Source | None = None) -> Scan:
    """Read sequences as the channels of one scan, see `stack`.

    Parameters
    ----------
    channels : Channels
        At least one of them a sequence.
    onto : Source, optional
        The sequence whose grid the channels are put on; by default the first.

    Returns
    -------
    Scan
        As of `read_sequence` for a single channel of the grid that is wanted, else of axes that end
        with `C`.

    Raises
    ------
    DataError
        If a file cannot be read, or the sequences cannot be put on one grid.
    """
    given = [source for _, source in channels if source is not None]
    onto = onto or given[0]
    if [onto] == given and len(channels) == 1:
        return read_sequence(onto)
    files: dict[Source, Scan] = {}
    for source in dict.fromkeys((onto, *given)):
        whole = replace(source, channel=None)
        if whole not in files:  # a file may hold all channels
            files[whole] = read_sequence(whole)
        if source.channel is not None:
            files[source] = channel_of(files[whole], source.channel)
    scans = {name: None if source is None else files[source] for name, source in channels}
    return stack(scans, files[onto])
