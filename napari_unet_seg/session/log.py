"""What is recorded of a session: states, predicted Dice, rounds."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from napari_unet_seg.session.record import new_round_folder, read_record, write_record
from napari_unet_seg.session.review_queue import known_figure
from napari_unet_seg.session.scan import NAME

if TYPE_CHECKING:
    from napari_unet_seg.config import Category
    from napari_unet_seg.session.held_out import Side
    from napari_unet_seg.session.lock import SessionLock
    from napari_unet_seg.session.record import (
        LayersRecord,
        ModelHistory,
        Origin,
        Round,
        SessionRecord,
    )
    from napari_unet_seg.session.review_queue import ReviewState


class SessionLog:
    """The record of a session; changes are kept in memory until `save`.

    What is not stored yet is what differs from the record as it was last written or read. Methods
    may be called from several threads.
    """

    def __init__(self, folder: Path, record: SessionRecord, lock: SessionLock) -> None:
        self.folder = folder
        self.lock = lock
        self._record = self._stored = record
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def hold(self) -> Self:
        """Keep others from writing to the session until `close`, as often as it was held.

        Raises
        ------
        DataError
            If it is open in another window or process, named in the message.
        """
        self.lock.hold()
        return self

    def hold_again(self) -> bool:
        """Hold it once more if it is held; return whether it is."""
        return self.lock.hold_again()

    def close(self) -> None:
        """Let others write to the session again."""
        self.lock.let_go()

    @property
    def record(self) -> SessionRecord:
        """All that is recorded, with changes that are not stored yet."""
        return self._record

    @property
    def categories(self) -> tuple[Category, ...]:
        """What the label values from 1 stand for."""
        return self._record.categories

    @property
    def checkpoint(self) -> Path | None:
        """The model that made the prediction, if it is known."""
        return Path(self._record.checkpoint) if self._record.checkpoint else None

    @property
    def origin(self) -> Origin:
        """What the scan and the mask were read from."""
        return self._record.origin

    @property
    def layers(self) -> LayersRecord:
        """How the scan and the mask are shown."""
        return self._record.layers

    def set_layers(self, **changes: Any) -> None:
        """Note how the layers are shown now; stored with the next `save`."""
        with self._lock:
            self._change(layers=self.layers.replace(**changes))

    @property
    def models(self) -> ModelHistory:
        """The models that the session has used."""
        return self._record.models

    def set_models(self, **changes: Any) -> None:
        """Note which models were used; stored with the next `save`."""
        with self._lock:
            self._change(models=self.models.replace(**changes))

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds of fine-tuning that were finished."""
        return self._record.rounds

    @property
    def states(self) -> tuple[ReviewState, ...]:
        """One state a slice."""
        return self._record.states

    @property
    def accepted(self) -> tuple[int, ...]:
        """Slices whose mask is right, corrected or not."""
        return tuple(i for i, s in enumerate(self.states) if s.is_accepted)

    def set_state(self, index: int, state: ReviewState) -> None:
        """Mark a slice; stored with the next `save`."""
        with self._lock:
            states = list(self.states)
            states[index] = state
            self._change(states=tuple(states))

    @property
    def sides(self) -> dict[int, Side]:
        """The slices that a round has used: held out for good, or trained on."""
        return self._record.sides

    def set_side(self, index: int, side: Side) -> None:
        """Put a slice on a side for good; stored with the next `save`."""
        with self._lock:
            self._change(sides={**self.sides, index: side})

    @property
    def predicted_dice(self) -> tuple[float | None, ...]:
        """How well the network thinks that each slice's mask fits; None where it is not known."""
        return self._record.predicted_dice or (None,) * len(self.states)

    def set_predicted_dice(self, index: int, value: float | None) -> None:
        """Note the figure of a slice that was predicted again; stored with the next `save`."""
        with self._lock:
            figures = list(self.predicted_dice)
            figures[index] = known_figure(value)
            self._change(predicted_dice=tuple(figures))

    @property
    def is_stored(self) -> bool:
        """Whether the record is as it was last written or read."""
        return self._record == self._stored

    def save(self, *, anew: bool = False) -> None:
        """Write `session.json` if there is anything new.

        Where others may write too, only what was changed here is.

        Parameters
        ----------
        anew : bool
            Write it in any case: its time tells when the session was saved last.
        """
        with self._writing, self.lock.writing():
            is_there = (self.folder / NAME).is_file()
            with self._lock:
                if is_there and not self.lock.held:
                    stored = read_record(self.folder)
                    self._record = _merged(stored, _changes(self._stored, self._record))
                    self._stored = stored
                record = self._record
            if anew or not is_there or record != self._stored:
                write_record(self.folder, record)
                self._stored = record

    def new_round(self, after: int = 0) -> Path:
        """Make the folder of the next round, numbered above `after` and those that are there."""
        return new_round_folder(self.folder, after)

    def finish_round(self, finished: Round) -> None:
        """Add a round to the session, and store it."""
        with self._lock:
            self._change(rounds=(*self.rounds, finished))
        self.save()

    def _change(self, **values: Any) -> None:
        self._record = self._record.model_copy(update=values)


def _changes(before: SessionRecord, after: SessionRecord) -> dict[str, Any]:
    """Return the fields of a record that have changed."""
    pairs = ((name, getattr(after, name)) for name in type(after).model_fields)
    return {name: value for name, value in pairs if value != getattr(before, name)}


def _merged(stored: SessionRecord, changes: dict[str, Any]) -> SessionRecord:
    """Bring changes into a record that others may have written meanwhile.

    A slice that got its side there keeps it: what was held out is never trained on.
    """
    if "sides" in changes:
        changes = {**changes, "sides": {**changes["sides"], **stored.sides}}
    return stored.model_copy(update=changes)
