"""The sequences of a session's case as the channels of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.io.common.named_channels import by_name, find_names, none_of
from napari_unet_seg.io.common.stacking import stack
from napari_unet_seg.session.stored.sequences import open_sequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session


def scan_of_sequences(session: Session, names: Sequence[str]) -> Scan:
    """Return the scan of a session for a network, with the other sequences that it takes.

    Parameters
    ----------
    session : Session
        The session; the grid is that of its scan.
    names : sequence of str
        Names of the network's channels. A network of one channel takes the scan as it is.

    Raises
    ------
    DataError
        If the case has none of several sequences, or they cannot be put on one grid.
    """
    if len(names) < 2:
        return session.scan
    if "C" in session.scan.axes:
        return by_name(session.scan, names)
    own = session.record.scan.sequence
    others, problems = open_sequences(session.record.sequences, session.folder)
    scans = {other.name: other.scan for other in others} | {own: session.scan}
    found = find_names(names, scans)
    if not any(found.values()):
        raise none_of(session.scan, names, [name for name in scans if name])
    scan = stack({name: scans[of] if of else None for name, of in found.items()}, session.scan)
    return replace(scan, meta=scan.meta | {"notes": (*scan.meta["notes"], *problems)})
