"""The slow parts of a session's life, as generators for a thread."""

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


class Ready(NamedTuple):
    """A session that was started or opened, held, and its mask as an array to paint on."""

    session: Session
    mask: Any
    whole: Scan | None = None
    """What the session's scan is a channel of, where that is still there."""


def starting(folder: Path, arguments: dict[str, Any]) -> Generator[Ready, Any, None]:
    """Start a session; see `Session.create` for its arguments."""
    pixels = arguments["prediction"]
    if not isinstance(pixels, np.ndarray) or not pixels.flags.writeable:
        pixels = np.array(pixels)
    session = Session.create(folder, **{**arguments, "prediction": pixels})
    yield Ready(session.hold(), pixels)


def opening(folder: Path, held: Session | None = None) -> Generator[Ready, Any, None]:
    """Open a session, unless it is `held` already, and read its mask as it was last saved."""
    session = held or Session.open(folder, hold=True)
    try:
        ready = Ready(session, session.load_mask(), _whole(session))
    except BaseException:
        session.close()
        raise
    yield ready


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


def writing(
    writer: Callable[..., list[str]], path: Path, labels: Any, attributes: dict[str, Any]
) -> Generator[Path, Any, None]:
    """Write a mask, from a copy of its labels, and yield the path."""
    writer(str(path), np.array(labels), attributes)
    yield path
