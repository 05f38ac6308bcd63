"""What the slices of a session are compared with: their predictions, also those made later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.carried import carried
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.layers.prediction import is_prediction, note_prediction
from napari_unet_seg.session.review_queue import finite_score

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg._napari.session.autosave import Autosave
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.session.session import Session


class Baseline:
    """The predictions of an open session.

    Parameters
    ----------
    session : Session
        Which keeps them.
    mask : Labels
        What was made of them.
    autosave : Autosave
        Stores later ones.
    """

    def __init__(self, session: Session, mask: Labels, autosave: Autosave) -> None:
        self._session, self._mask, self._autosave = session, mask, autosave
        self._last: tuple[int, Any] = (-1, None)

    def of(self, index: int) -> Any:
        """Return the prediction of a slice."""
        if self._last[0] != index:
            self._last = (index, self._session.masks.read_prediction(index))
        return self._last[1]

    def take_segmented(self, index: int) -> bool:
        """Compare a slice with what Segment may have filled in after the session started.

        Returns whether its figure is another one.
        """
        place = self._session.masks.place(index)
        if not is_prediction(self._mask, place):
            return False
        labels = np.asarray(self._mask.data[place])
        if not np.array_equal(self.of(index), labels):
            prediction = labels.copy()
            self._last = (index, prediction)
            self._autosave.replace_prediction(index, prediction)
        figure = finite_score(carried(self._mask).predicted_dice.get(place))
        is_new = figure != self._session.predicted_dice[index]
        if is_new:
            self._session.set_predicted_dice(index, figure)
        return is_new

    def is_untouched(self, index: int) -> bool:
        """Whether a slice is as a network drew it; of one from a file nobody knows who did."""
        session, place = self._session, self._session.masks.place(index)
        if is_prediction(self._mask, place):
            return True
        if session.checkpoint is None and not session.masks.is_predicted_later(index):
            return False
        return np.array_equal(self._mask.data[place], session.masks.read_prediction(index))

    def put(self, index: int, labels: Array, dice: float) -> None:
        """Bring a slice to a later prediction, but for locked categories, and store both.

        It is no step of the undo history.
        """
        place = self._session.masks.place(index)
        plane, locked = self._mask.data[place], [*locked_of(self._mask)]
        labels = np.where(np.isin(plane, locked) | np.isin(labels, locked), plane, labels)
        plane[...] = labels
        note_prediction(self._mask, place, dice)
        self._session.set_predicted_dice(index, finite_score(dice))
        self._autosave.replace_prediction(index, labels)
        self._autosave.save((index,))
