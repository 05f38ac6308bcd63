"""The record of a session in memory: states, predicted Dice, rounds, and how they are stored."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from napari_unet_seg.io.disk.seen import check_seen, has_changed, saw
from napari_unet_seg.session.held_out import unused_slices
from napari_unet_seg.session.review_queue import finite_score
from napari_unet_seg.session.stored.merging import merged_records
from napari_unet_seg.session.stored.new_folders import new_round_folder
from napari_unet_seg.session.stored.record import read_record, write_record
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.session.held_out import Split
    from napari_unet_seg.session.review_queue import ReviewState
    from napari_unet_seg.session.stored.case_files import MaskRecord
    from napari_unet_seg.session.stored.lock import SessionLock
    from napari_unet_seg.session.stored.prompts import PromptRecord
    from napari_unet_seg.session.stored.record import (
        LayersRecord,
        ModelHistory,
        Origin,
        Round,
        SessionRecord,
    )


class RecordKeeper:
    """Keeps the record of a session in memory until `save`.

    Fields that differ from the record last written or read are not stored yet. The methods may be
    called from several threads.
    """

    def __init__(self, folder: Path, record: SessionRecord, lock: SessionLock) -> None:
        self.folder = folder
        self.lock = lock
        self._record = self._stored = record
        self._disputed = False
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def hold(self) -> Self:
        """Keep other processes from writing to the session until as many calls of `close`.

        Raises
        ------
        DataError
            If the session is open in another window or process, which the message names.
        """
        self.lock.hold()
        return self

    def hold_again(self) -> bool:
        """Hold the session once more if it is held already; return whether it is."""
        return self.lock.hold_again()

    def close(self) -> None:
        """End one `hold`; after the last, other processes may write to the session."""
        self.lock.release()

    @property
    def record(self) -> SessionRecord:
        """All that is recorded, with changes that are not stored yet."""
        return self._record

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories of the labels, from 1."""
        return self._record.categories

    def set_categories(
        self, categories: tuple[Category, ...], merged: tuple[tuple[Id, Id | None], ...] = ()
    ) -> None:
        """Change the categories of the labels; stored with the next `save`.

        Parameters
        ----------
        categories : tuple of Category
            The categories of the labels, from 1.
        merged : tuple of pairs
            Ids of removed categories, and of those that got their pixels; None for background.
        """
        with self._lock:
            first = self._record.first_categories or self._record.categories
            self._change(categories=categories, first_categories=first, merged=merged)

    @property
    def checkpoint(self) -> Path | None:
        """The model that made the prediction, None if the session does not name one."""
        return Path(self._record.checkpoint) if self._record.checkpoint else None

    @property
    def origin(self) -> Origin:
        """The files that the scan and the mask were read from."""
        return self._record.origin

    @property
    def layers(self) -> LayersRecord:
        """Names, placement and locked categories of the layers."""
        return self._record.layers

    def set_layers(self, **changes: Any) -> None:
        """Change the record of the layers; stored with the next `save`."""
        with self._lock:
            # Not `replace`, which would drop what a newer version added.
            self._change(layers=self.layers.model_copy(update=changes))

    def set_other_masks(self, masks: tuple[MaskRecord, ...]) -> None:
        """Change the other masks of the case; stored with the next `save`."""
        with self._lock:
            self._change(masks=masks)

    @property
    def models(self) -> ModelHistory:
        """The models that the session has used."""
        return self._record.models

    def set_models(self, **changes: Any) -> None:
        """Change the record of the models; stored with the next `save`."""
        with self._lock:
            self._change(models=self.models.model_copy(update=changes))

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The finished rounds of fine-tuning."""
        return self._record.rounds

    @property
    def states(self) -> tuple[ReviewState, ...]:
        """The review state of each slice."""
        return self._record.states

    @property
    def accepted(self) -> tuple[int, ...]:
        """Accepted slices, corrected or not."""
        return tuple(i for i, s in enumerate(self.states) if s.is_accepted)

    def set_states(self, changes: Mapping[int, ReviewState]) -> None:
        """Set the states of some slices; stored with the next `save`."""
        with self._lock:
            states = list(self.states)
            for index, state in changes.items():
                states[index] = state
            self._change(states=tuple(states))

    @property
    def splits(self) -> dict[int, Split]:
        """The split of each slice that a round has used: trained on, or held out."""
        return self._record.sides

    def set_split(self, index: int, split: Split) -> None:
        """Assign a slice its final split; stored with the next `save`."""
        with self._lock:
            self._change(sides={**self.splits, index: split})

    def count_use(self, *, in_point: bool) -> None:
        """Count the accepted slices as used by a round; stored with the next `save`.

        Parameters
        ----------
        in_point : bool
            Whether the round is of Point: the slices stay unused by the rounds of Segment.
        """
        with self._lock:
            rest = set(self._record.only_in_point) - set(self.accepted)
            kept = rest | unused_slices(self._record) if in_point else rest
            self._change(only_in_point=tuple(sorted(kept)))

    @property
    def predicted_dice(self) -> tuple[float | None, ...]:
        """The predicted Dice of each slice, None for slices without one."""
        return self._record.predicted_dice or (None,) * len(self.states)

    def set_predicted_dice(self, index: int, value: float | None) -> None:
        """Set the predicted Dice of a slice; stored with the next `save`."""
        with self._lock:
            scores = list(self.predicted_dice)
            scores[index] = finite_score(value)
            self._change(predicted_dice=tuple(scores))

    @property
    def unsegmented(self) -> tuple[int, ...]:
        """Slices without a mask because they were not segmented yet."""
        return self._record.unsegmented

    def set_unsegmented(self, slices: tuple[int, ...]) -> None:
        """Set the slices that were not segmented yet; stored with the next `save`."""
        with self._lock:
            self._change(unsegmented=slices)

    @property
    def carried(self) -> dict[int, int]:
        """The checksum of each slice that an object was carried to."""
        return self._record.carried

    def set_carried(self, sums: Mapping[int, int]) -> None:
        """Replace the checksums of slices that an object was carried to."""
        with self._lock:
            self._change(carried=dict(sums))

    @property
    def prompts(self) -> tuple[PromptRecord, ...]:
        """The prompts on the slices, in the order in which they were given."""
        return self._record.prompts

    def set_prompts(self, prompts: tuple[PromptRecord, ...]) -> None:
        """Replace the prompts; stored with the next `save`."""
        with self._lock:
            self._change(prompts=prompts)

    @property
    def is_stored(self) -> bool:
        """Whether the record equals the record last written or read."""
        return self._record == self._stored

    def save(self, *, always: bool = False, until: SessionRecord | None = None) -> None:
        """Write `session.json` if the record has changed.

        If other processes may write too, only what was changed by this object is replaced.

        Parameters
        ----------
        always : bool
            Write an unchanged record too: its modification time is the time of the last save.
        until : SessionRecord, optional
            An earlier record, whose decisions and prompts are written: the masks of later ones are
            not stored yet.

        Raises
        ------
        ChangedError
            If another program has changed the record of a held session, and a value that was
            changed here too; all its other changes are taken over.
        """
        path = self.folder / SESSION_FILE
        with self._writing, self.lock.writing():
            is_there = path.is_file()
            with self._lock:
                if is_there and not self.lock.held:
                    saw(path)
                    self._merge()
                    until = None  # or what came from elsewhere were lost
                elif is_there and has_changed(path):
                    self._disputed |= self._merge()
                    until = None
                    if self._disputed:
                        check_seen(path)
                    saw(path)
                self._disputed = False
                record = self._record if until is None else self._record.with_marks_of(until)
            if always or not is_there or record != self._stored:
                write_record(self.folder, record)
                self._stored = record

    def reload(self) -> None:
        """Replace the record by the stored one, as another program has left it."""
        with self._lock:
            saw(self.folder / SESSION_FILE)
            self._record = self._stored = read_record(self.folder)
            self._disputed = False

    def new_round(self, after: int = 0) -> Path:
        """Make the folder of the next round, with a number above `after` and existing rounds."""
        return new_round_folder(self.folder, after)

    def finish_round(self, finished: Round) -> None:
        """Add a round to the record, and store the record."""
        with self._lock:
            self._change(rounds=(*self.rounds, finished))
        self.save(until=self._stored)

    def _merge(self) -> bool:
        """Take over what was stored since; return whether a value was changed on both sides."""
        stored = read_record(self.folder)
        self._record, disputed = merged_records(self._stored, self._record, stored)
        self._stored = stored
        return disputed

    def _change(self, **values: Any) -> None:
        self._record = self._record.model_copy(update=values)
