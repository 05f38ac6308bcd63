"""What the slices of a mask hold: labels, nothing, or nothing yet as they were not segmented."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.layer_record import record_of

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.session.session import Session


class SliceContent(Enum):
    """What the mask holds on a slice."""

    LABELS = "labels"
    EMPTY = "empty"
    """A model found nothing, a file holds nothing, or the mask was emptied."""
    UNSEGMENTED = "not segmented"
    """Empty because neither a model nor a person has segmented the slice yet."""


class SliceContents:
    """The content of the slices of an open session.

    Parameters
    ----------
    session : Session
        The session, which stores the slices that were not segmented yet.
    mask : Labels
        The layer of the session's mask, whose record names the slices that were segmented since.
    """

    def __init__(self, session: Session, mask: Labels) -> None:
        self._session, self._mask = session, mask

    def of(self, index: int) -> SliceContent:
        """Return the content of a slice."""
        if self._mask.data[self._session.masks.place(index)].any():
            return SliceContent.LABELS
        return SliceContent.UNSEGMENTED if self._is_waiting(index) else SliceContent.EMPTY

    def is_unsegmented(self, index: int) -> bool:
        """Whether a slice is empty because it was not segmented yet."""
        return self._is_waiting(index) and self.of(index) is SliceContent.UNSEGMENTED

    def update(self) -> None:
        """Remove the slices that were segmented since from those that the session stores."""
        before = self._session.unsegmented
        waiting = tuple(index for index in before if self._is_waiting(index))
        if waiting != before:
            self._session.set_unsegmented(waiting)

    def _is_waiting(self, index: int) -> bool:
        place = self._session.masks.place(index)
        return index in self._session.unsegmented and place not in record_of(self._mask).predicted


def unsegmented_slices(mask: Labels) -> tuple[int, ...]:
    """Return the empty slices of a mask that were not segmented yet.

    In a mask that a model has predicted in part, these are the slices without a prediction; in a
    layer that was drawn by hand, all empty slices. A mask from a file is segmented as a whole.
    """
    record = record_of(mask)
    # COCO files and results of models are whole, too; not all of them record a file.
    of_file = mask.source.path is not None or record.from_file or record.coco is not None
    if not record.predicted and (record.model is not None or of_file):
        return ()
    places = enumerate(np.ndindex(mask.data.shape[:-2]))
    waiting = ((i, place) for i, place in places if place not in record.predicted)
    return tuple(i for i, place in waiting if not np.asarray(mask.data[place]).any())
