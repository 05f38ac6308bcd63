"""What the rows of the list say: the names of slices, and notes on slices without a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.session.slices.contents import SliceContent
from napari_unet_seg._napari.widgets.queue.table import RowNote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg._napari.session.slices.contents import SliceContents

_NOTES = {
    SliceContent.EMPTY: RowNote(
        "∅", "empty", "To do: the mask holds nothing on this slice, where nothing was found"
    ),
    SliceContent.UNSEGMENTED: RowNote(
        "◌",
        "not segmented",
        "To do: no model has segmented this slice yet; use Segment, or draw its mask",
        italic=True,
    ),
}


def notes_of(contents: SliceContents) -> Callable[[int], RowNote | None]:
    """Return a function that returns the note on a slice, None for a slice with a mask."""
    return lambda index: _NOTES.get(contents.of(index))


def row_names(slices: Sequence[str]) -> Sequence[str]:
    """Return the names of slices, by their numbers alone if they are all of one scan.

    Parameters
    ----------
    slices : sequence of str
        Names as in a session: `scan.nii.gz#17`, or the files of single slices.
    """
    scans = {name.rpartition("#")[0] for name in slices}
    if len(scans) != 1 or scans == {""}:
        return slices
    return [f"slice {name.rpartition('#')[2]}" for name in slices]
