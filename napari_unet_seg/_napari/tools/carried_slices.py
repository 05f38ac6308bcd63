"""The slices that an object was carried to: how certain they are, and which slices are walls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.layer_record import record_of, update_record
from napari_unet_seg._napari.layers.prediction import is_carried, is_untouched, record_carried
from napari_unet_seg._napari.layers.undoable_edits import History, last_atom
from napari_unet_seg.io.common.places import Place, index_at, place_at
from napari_unet_seg.session.review_queue import finite_score

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.session.session import Session

Scores = dict[Place, float]
"""Certainty or predicted Dice by the place of a slice; NaN for none."""


@dataclass
class _Step:
    atom: Any
    """The first change of the step in the mask's history."""
    before: Scores
    after: Scores
    is_on: bool = True
    """Whether the step is not undone."""


class CarriedSlices(QObject):
    """Keeps the scores of one mask at a time; they come and go with the steps of its history."""

    changed = Signal(object)
    """Emitted with the indices of the slices that are carried now, after scores have changed."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._mask: Labels | None = None
        self._session: Session | None = None
        self._steps: list[_Step] = []

    def show_mask(self, mask: Labels | None, session: Session | None) -> None:
        """Take over another mask, or its session, which remembers what was carried before."""
        if mask is not self._mask:
            self._mask, self._steps = mask, []
        if session is not self._session and session is not None and mask is not None:
            leading = mask.data.shape[:-2]
            stored = {place_at(index, leading): sum_ for index, sum_ in session.carried.items()}
            update_record(mask, carried=record_of(mask).carried | stored)
        self._session = session

    def is_wall(self, place: Place) -> bool:
        """Whether a person has decided on a slice, or drawn on it."""
        mask, session = self._mask, self._session
        if mask is None or place in record_of(mask).decided:
            return True
        if is_carried(mask, place) or is_untouched(mask, (place,)):
            return False
        if session is None:
            return True
        index = index_at(place, mask.data.shape[:-2])
        return not np.array_equal(mask.data[place], session.masks.read_prediction(index))

    def is_carried(self, place: Place) -> bool:
        """Whether a slice is as an object was carried to it, and nobody has decided on it."""
        mask = self._mask
        return mask is not None and is_carried(mask, place) and not self.is_wall(place)

    def add(self, scores: Scores) -> None:
        """Take over the certainty of slices that were just carried as one step of the history."""
        mask = self._mask
        if mask is None:
            return
        known = record_of(mask).predicted_dice
        before = {place: known.get(place, math.nan) for place in scores}
        record_carried(mask, scores)
        self._steps.append(_Step(last_atom(mask), before, scores))
        self._show(scores)

    def follow(self) -> None:
        """Follow an undo, a redo or another edit of the mask."""
        if self._mask is None or not self._steps:
            return
        done, undone = History.of(self._mask)
        self._steps = [step for step in self._steps if id(step.atom) in done | undone]
        for step in self._steps:
            if step.is_on != (id(step.atom) in done):
                step.is_on = not step.is_on
                self._show(step.after if step.is_on else step.before)

    def _show(self, scores: Scores) -> None:
        mask, session = self._mask, self._session
        if mask is None:
            return
        update_record(mask, predicted_dice=record_of(mask).predicted_dice | scores)
        leading = mask.data.shape[:-2]
        if session is not None:
            for place, score in scores.items():
                session.set_predicted_dice(index_at(place, leading), finite_score(score))
            sums = record_of(mask).carried
            session.set_carried({index_at(place, leading): sums[place] for place in sums})
        carried = {place for step in self._steps if step.is_on for place in step.after}
        self.changed.emit(frozenset(index_at(place, leading) for place in carried))
