"""Starting and opening sessions and writing masks, as generators for a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.widgets.jobs import until_stopped
from napari_unet_seg.errors import ChangedError, SegmentationError
from napari_unet_seg.events import Progress
from napari_unet_seg.io.disk.files import within
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.other_masks import open_masks
from napari_unet_seg.session.stored.record import COCO_COPY
from napari_unet_seg.session.stored.sequences import open_sequences

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.io.coco.merge.keys import Keep
    from napari_unet_seg.io.coco.source import CocoSource
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.stored.other_masks import OtherMask
    from napari_unet_seg.session.stored.sequences import OtherSequence


class SessionWithMask(NamedTuple):
    """A session that was started or opened and is held, with its mask as an editable array."""

    session: Session
    mask: Any
    whole: Scan | None = None
    """The scan with all channels, if the session is on one channel and the file still exists."""
    sequences: Sequence[OtherSequence] = ()
    """The other sequences of the case."""
    masks: Sequence[OtherMask] = ()
    """The other masks of the case."""
    problems: Sequence[str] = ()
    """Why some sequences and masks of the case were not opened, a sentence each."""


def create_session(
    folder: Path, arguments: dict[str, Any], coco: CocoSource | None = None
) -> Generator[SessionWithMask, Any, None]:
    """Start a session with the arguments of `Session.create`.

    A copy of the COCO file that the mask came from is kept with the session.
    """
    if coco is not None:
        coco.dataset()  # an error comes before the session is made
    pixels = arguments["prediction"]
    if not isinstance(pixels, np.ndarray) or not pixels.flags.writeable:
        pixels = np.array(pixels)
    session = Session.create(folder, **{**arguments, "prediction": pixels})
    if coco is not None:
        coco.keep_copy(within(session.folder, session.folder / COCO_COPY))
    yield SessionWithMask(session.hold(), pixels)


def reopen_session(
    folder: Path, held: Session | None = None
) -> Generator[SessionWithMask | Progress, Any, None]:
    """Open a session, unless it is `held` already, and read its last saved mask."""
    opened = yield from until_stopped(_reopening(folder, held))
    if opened is not None:
        yield opened


def _reopening(folder: Path, held: Session | None) -> Generator[Progress, Any, SessionWithMask]:
    session = held or Session.open(folder, hold=True)
    try:
        yield Progress(1, 3)
        others, unread = open_sequences(session.record.sequences, session.folder)
        scans = [session.scan, *(each.scan for each in others)]
        masks, unread_masks = open_masks(session.record.masks, scans)
        yield Progress(2, 3)
        whole, problems = _whole(session), [*unread, *unread_masks]
        opened = SessionWithMask(session, session.load_mask(), whole, others, masks, problems)
        yield Progress(3, 3)
    except BaseException:  # also if it is stopped
        session.close()
        raise
    return opened


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
    write: Callable[[Path, Keep | None], object], path: Path, keep: Keep | None = None
) -> Generator[Path | ChangedError, Any, None]:
    """Write a mask, and yield its path, or the error if another program has changed the file."""
    try:
        write(path, keep)
    except ChangedError as error:
        yield error
    else:
        yield path
