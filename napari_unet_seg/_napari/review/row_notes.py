"""The notes on slices to do whose mask is empty: nothing was found, or they wait for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.session.slice_contents import SliceContent
from napari_unet_seg._napari.widgets.queue_table import RowNote

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg._napari.session.slice_contents import SliceContents

_NOTES = {
    SliceContent.EMPTY: RowNote(
        "∅", "empty", "To do: the mask holds nothing on this slice, where nothing was found"
    ),
    SliceContent.UNSEGMENTED: RowNote(
        "◌",
        "not segmented",
        "To do: no model has segmented this slice yet; use Segment, or draw its mask",
        "#737b88",
    ),
}


def notes_of(contents: SliceContents) -> Callable[[int], RowNote | None]:
    """Return a function that returns the note on a slice, None for a slice with a mask."""
    return lambda index: _NOTES.get(contents.of(index))
