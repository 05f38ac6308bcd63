"""The predictions of an open session's slices, with which its mask is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.layers.prediction import is_prediction, record_prediction
from napari_unet_seg.io.common.places import crossed_places, index_at, is_place
from napari_unet_seg.session.predictions import Predictions
from napari_unet_seg.session.review_queue import finite_score

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.layers import Labels

    from napari_unet_seg._napari.session.autosave import Autosave
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part, Place
    from napari_unet_seg.session.session import Session


class SessionPredictions:
    """Reads and replaces the predictions of an open session.

    Parameters
    ----------
    session : Session
        The session, which stores the predictions.
    mask : Labels
        The layer of the session's mask.
    autosave : Autosave
        Stores later predictions.
    """

    def __init__(self, session: Session, mask: Labels, autosave: Autosave) -> None:
        self._session, self._mask, self._autosave = session, mask, autosave
        self._last: tuple[Part | None, Any] = (None, None)
        self._whole: Array | None = None
        """All predictions, once they were read."""
        self._replaced: dict[Place, Array] = {}
        """Slices that were replaced before all were read."""

    def has(self, part: Part) -> bool:
        """Whether a plane can be read at once; others than slices take all predictions."""
        return is_place(part) or self._whole is not None

    def reading(self) -> Generator[Callable[[], None], Any, None]:
        """Read all predictions, in a thread; yield what takes them, in the main thread."""
        replaced = self._replaced
        self._autosave.store_predictions()
        whole = np.asarray(Predictions(self._session.masks))
        yield lambda: self._take(whole, replaced)

    def _take(self, whole: Array, replaced: dict[Place, Array]) -> None:
        """Take all predictions, with those that were replaced meanwhile; see `forget`."""
        if replaced is self._replaced:
            for place, labels in replaced.items():
                whole[place] = labels
            self._whole = whole

    def read(self, part: Part) -> Any:
        """Return the present prediction of a slice, by its place, or of a plane that it `has`."""
        if self._whole is not None:
            return self._whole[part]
        if self._last[0] != part:
            self._last = (part, Predictions(self._session.masks)[part])
        return self._last[1]

    def forget(self) -> None:
        """Read the predictions anew, as their labels stand for other categories now."""
        self._last, self._whole, self._replaced = (None, None), None, {}

    def update_from_segment(self, part: Part) -> bool:
        """Take over what Segment wrote into the slices of a plane after the session started.

        Returns
        -------
        bool
            Whether the predicted Dice of a slice has changed.
        """
        places = crossed_places(part, self._mask.data.shape[:-2])
        predicted = [place for place in places if is_prediction(self._mask, place)]
        return any([self._update_slice(place) for place in predicted])  # noqa: C419 - update all

    def _update_slice(self, place: Place) -> bool:
        index = index_at(place, self._mask.data.shape[:-2])
        labels = np.asarray(self._mask.data[place])
        if not np.array_equal(self.read(place), labels):
            self._replace(index, labels.copy())
        score = finite_score(record_of(self._mask).predicted_dice.get(place))
        is_new = score != self._session.predicted_dice[index]
        if is_new:
            self._session.set_predicted_dice(index, score)
        return is_new

    def is_untouched(self, index: int) -> bool:
        """Whether a slice equals a network's prediction; False for masks from a file."""
        session, place = self._session, self._session.masks.place(index)
        if is_prediction(self._mask, place):
            return True
        if index in session.unsegmented:
            return not self._mask.data[place].any()
        if session.checkpoint is None and not session.masks.is_predicted_later(index):
            return False
        return np.array_equal(self._mask.data[place], session.masks.read_prediction(index))

    def replace(self, index: int, labels: Array, dice: float) -> None:
        """Replace a slice by a later prediction, except locked categories, and store both.

        The replacement is no step of the undo history.
        """
        place = self._session.masks.place(index)
        plane, locked = self._mask.data[place], [*locked_of(self._mask)]
        labels = np.where(np.isin(plane, locked) | np.isin(labels, locked), plane, labels)
        plane[...] = labels
        record_prediction(self._mask, place, dice)
        self._session.set_predicted_dice(index, finite_score(dice))
        self._replace(index, labels)
        self._autosave.save((index,))

    def _replace(self, index: int, labels: Array) -> None:
        place = self._session.masks.place(index)
        self._last = (place, labels)  # the file is written later
        if self._whole is not None:
            self._whole[place] = labels
        else:
            self._replaced[place] = labels
        self._autosave.replace_prediction(index, labels)
