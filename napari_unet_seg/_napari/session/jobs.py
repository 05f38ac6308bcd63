"""Starting and opening sessions and writing masks, as generators for a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan


class SessionWithMask(NamedTuple):
    """A session that was started or opened and is held, with its mask as an editable array."""

    session: Session
    mask: Any
    whole: Scan | None = None
    """The scan with all channels, if the session is on one channel and the file still exists."""


def create_session(
    folder: Path, arguments: dict[str, Any]
) -> Generator[SessionWithMask, Any, None]:
    """Start a session with the arguments of `Session.create`."""
    pixels = arguments["prediction"]
    if not isinstance(pixels, np.ndarray) or not pixels.flags.writeable:
        pixels = np.array(pixels)
    session = Session.create(folder, **{**arguments, "prediction": pixels})
    yield SessionWithMask(session.hold(), pixels)


def reopen_session(
    folder: Path, held: Session | None = None
) -> Generator[SessionWithMask, Any, None]:
    """Open a session, unless it is `held` already, and read its last saved mask."""
    session = held or Session.open(folder, hold=True)
    try:
        opened = SessionWithMask(session, session.load_mask(), _whole(session))
    except BaseException:
        session.close()
        raise
    yield opened


def _whole(session: Session) -> Scan | None:
    origin = session.origin
    if origin.channel is None or not origin.scan:
        return None
    try:
        scan = read_scan(origin.scan)
    except SegmentationError:
        return None  # the session has what it needs
    fits = scan.grid_shape == session.scan.grid_shape
    fits = fits and scan.axes.endswith("C") and scan.data.shape[-1] > origin.channel
    return scan if fits else None


def write_mask(
    writer: Callable[..., list[str]], path: Path, labels: Any, attributes: dict[str, Any]
) -> Generator[Path, Any, None]:
    """Write a copy of a mask's labels, and yield the path."""
    writer(str(path), np.array(labels), attributes)
    yield path
