"""A session: the correction of a scan and the fine-tuning on it, on disk.

A session is a folder: `session.json` (the scan with its hash and grid, the categories, the state
of every slice, the rounds), `predictions/prediction.tif` (the original prediction, never changed),
`masks/NNNNN.tif` (the corrected slices, each with its previous version) and `rounds/NN/` (the runs
of fine-tuning). Only slices that differ from the stored ones are written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_unet_seg import __version__
from napari_unet_seg.data.scan_samples import slice_name
from napari_unet_seg.errors import ChangedError, DataError
from napari_unet_seg.io.common.names import group_of
from napari_unet_seg.io.disk.seen import saw
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.session.held_out import Split, assign_splits
from napari_unet_seg.session.review_queue import ReviewState, accepted_state, finite_score
from napari_unet_seg.session.slice_labels import (
    check_labels,
    grid_error,
    has_mask,
)
from napari_unet_seg.session.stored.labelling import Labelling
from napari_unet_seg.session.stored.leftovers import remove_leftovers
from napari_unet_seg.session.stored.lock import SessionLock
from napari_unet_seg.session.stored.masks import MaskStore
from napari_unet_seg.session.stored.new_folders import new_session_folder
from napari_unet_seg.session.stored.record import (
    LayersRecord,
    Origin,
    SessionRecord,
    read_record,
    write_record,
)
from napari_unet_seg.session.stored.record_keeper import RecordKeeper
from napari_unet_seg.session.stored.scan import SESSION_FILE, open_scan, record_scan
from napari_unet_seg.session.stored.sequences import OtherSequence, record_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.stored.case_files import MaskRecord


class Session(RecordKeeper):
    """A scan, its prediction, the corrections and the rounds of fine-tuning; see the module.

    Slices are counted along the flattened leading axes; a 2-D image is one slice. States are kept
    in memory until `save` or `save_mask`.

    Any process may read a session at any time. Only one process at a time may write to it: for a
    single write, or from `hold` until `close`.
    """

    def __init__(
        self, folder: Path, record: SessionRecord, scan: Scan, lock: SessionLock | None = None
    ) -> None:
        super().__init__(folder, record, lock or SessionLock(folder))
        self.scan = scan
        self.masks = MaskStore(folder, scan, lambda: Labelling.of(self._record))

    @classmethod
    def create(
        cls,
        folder: Path | str,
        scan: Scan,
        categories: Sequence[Category],
        prediction: Any,
        checkpoint: Path | None = None,
        *,
        predicted_dice: Sequence[float | None] = (),
        unsegmented: Sequence[int] = (),
        origin: Origin | None = None,
        layers: LayersRecord | None = None,
        sequence: str = "",
        others: Sequence[OtherSequence] = (),
        masks: Sequence[MaskRecord] = (),
    ) -> Self:
        """Start a session in a new or empty folder; an error does not change the folder.

        Parameters
        ----------
        folder : Path
            Folder of the new session.
        scan : Scan
            The scan; without a file its data are copied into the session.
        categories : sequence of Category
            The categories of the labels, from 1.
        prediction : array
            Labels to start from, of the scan's `grid_shape`.
        checkpoint : Path, optional
            The model that made the prediction, from which fine-tuning starts.
        predicted_dice : sequence of float or None, optional
            Predicted Dice of each slice; None or NaN for slices without one.
        unsegmented : sequence of int, optional
            Slices that are empty because they were not segmented yet.
        origin : Origin, optional
            The files that the scan and the mask were read from.
        layers : LayersRecord, optional
            Names, placement and locked categories of the layers.
        sequence : str, optional
            Name of the scan's sequence.
        others : sequence of OtherSequence, optional
            The other sequences of the case, which are opened with the scan; the session does not
            learn from them.
        masks : sequence of MaskRecord, optional
            The other masks of the case, which are opened with the scan.

        Raises
        ------
        DataError
            If the folder is in use or cannot be written, or the prediction does not fit the scan;
            if a scan without a file holds numbers that cannot be stored.
        """
        folder = Path(folder).expanduser().absolute()
        labels = np.asarray(prediction)
        check_labels(labels, scan, len(categories))
        count = int(np.prod(scan.grid_shape[:-2]))
        if len(predicted_dice) not in (0, count):
            raise DataError(
                f"There are {len(predicted_dice)} values of predicted Dice and {count} slices; "
                "give one for each slice."
            )
        with new_session_folder(folder) as new:
            store = MaskStore(new, scan)
            # First, so that a stroke during the writing counts as a change.
            store.mark_as_stored(labels)
            store.write_prediction(labels, {"categories": [c.name for c in categories]})
            record = SessionRecord(
                version=__version__,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                scan=record_scan(scan, new, layers.image if layers else "", sequence),
                categories=tuple(categories),
                checkpoint=str(checkpoint.absolute()) if checkpoint else "",
                checkpoint_sha256=sha256(checkpoint) if checkpoint else "",
                states=(ReviewState.TODO,) * count,
                predicted_dice=tuple(map(finite_score, predicted_dice)),
                unsegmented=tuple(unsegmented),
                origin=origin or Origin(),
                layers=layers or LayersRecord(),
                sequences=record_sequences(others),
                masks=tuple(masks),
            )
            write_record(new, record)
        session = cls(folder, record, open_scan(record.scan, folder))
        session.masks.digests = store.digests
        session.masks.see_files()
        saw(folder / SESSION_FILE)
        return session

    @classmethod
    def open(cls, folder: Path | str, *, hold: bool = False) -> Self:
        """Open a session as it was saved last.

        Parameters
        ----------
        folder : Path
            Folder of the session.
        hold : bool
            Whether to `hold` the session before it is read.

        Raises
        ------
        DataError
            If the folder is no session or is damaged; if its scan is missing or has changed; if
            the session is to be held but is open elsewhere.
        """
        folder = Path(folder).expanduser().absolute()
        record = read_record(folder)
        lock = SessionLock(folder)
        if hold:
            lock.hold()
        try:
            # Read again, as another holder may have written before the lock was taken.
            saw(folder / SESSION_FILE)
            record = read_record(folder) if hold else record
            if hold:
                remove_leftovers(folder, record)
            session = cls(folder, record, open_scan(record.scan, folder), lock)
            path = session.masks.prediction_path
            if not path.is_file():
                raise DataError(f"{path} is missing; restore it, or start a new session.")
        except BaseException:
            lock.release()
            raise
        return session

    def name_of(self, index: int) -> str:
        """Return the name of a slice; for a scan without a file from the name of its layer."""
        image, path = self.layers.image, self.scan.path
        copied = path is not None and path.parent == self.folder
        return f"{image}#{index}" if copied and image else slice_name(self.scan, index)

    @property
    def prediction(self) -> Array:
        """The whole original prediction, read from disk at each access."""
        return self.masks.prediction()

    def load_mask(self) -> Array:
        """Read the whole mask of the last save."""
        return self.masks.load()

    def save_mask(self, labels: Any, slices: Iterable[int] | None = None) -> tuple[int, ...]:
        """Write the slices that differ from the stored ones, and `session.json` if it changed.

        No decision and no prompt is stored before the mask of its slice is: those slices are
        written too, and what comes after them is left to the next call.

        Each slice is copied before it is compared: a slice that is being painted on is stored as
        it was at that moment, and again by the next call. The state of a written, accepted slice
        becomes accepted or corrected, as it equals its prediction or not.

        Parameters
        ----------
        labels : array
            Labels on the scan's grid; the array of a layer need not be copied.
        slices : iterable of int, optional
            Indices of the slices to compare; all slices by default.

        Returns
        -------
        tuple of int
            Indices of the written slices.

        Raises
        ------
        ChangedError
            If another program has changed the file of an edited slice; all others are written.
        DataError
            If the labels are on another grid or a file cannot be written.
        """
        if tuple(labels.shape) != self.masks.shape:
            raise grid_error(tuple(labels.shape), self.scan)
        with self.lock.writing():
            written: list[int] = []
            changed: ChangedError | None = None
            shape = self.masks.shape[:-2]
            wanted = {*(range(len(self.states)) if slices is None else slices)}
            now = self.record
            known = marks = now.marks_since(self._stored, shape)
            while wanted := wanted | {index for index, _ in marks}:
                try:
                    self._save_slices(labels, wanted, written)
                except ChangedError as error:
                    changed = changed or error
                # Decisions and prompts go on while slices are written.
                now = self.record
                marks = now.marks_since(self._stored, shape) - known
                known, wanted = known | marks, set()
            self.save(always=bool(written), until=now)
            if changed is not None:
                raise changed
        return tuple(dict.fromkeys(written))

    def _save_slices(self, labels: Any, slices: set[int], written: list[int]) -> None:
        """Write the slices that differ, which are added to `written`, and update their states."""
        start = len(written)
        try:
            saved = self.masks.save(labels, sorted(slices), {"session": self.folder.name})
            written.extend(saved)  # as far as it comes
        finally:
            # Slices that were written before an error are not written again.
            self._update_states(written[start:])

    def take_from_disk(self, path: Path) -> int | None:
        """Accept a file of the session as another program has left it.

        Parameters
        ----------
        path : Path
            The file of a `ChangedError` of this session.

        Returns
        -------
        int or None
            The slice whose mask has to be read again; None for the record.
        """
        if path.name == SESSION_FILE:
            self.reload()
            return None
        return self.masks.take_from_disk(path)

    def is_labelled(self, index: int) -> bool:
        """Whether the stored slice has a mask; unreviewed pixels do not count."""
        return has_mask(self.masks.read(index))

    def store_splits(self) -> None:
        """Assign the accepted slices without a split one for good, and store the splits.

        Raises
        ------
        DataError
            If the session is open elsewhere or its folder is read-only.
        """
        splits = self._assign_splits()  # reads masks, so it is called outside of the lock
        with self._lock:
            if splits != self.splits:
                self._change(sides=splits)
        self.save(until=self._stored)

    def _update_states(self, written: Iterable[int]) -> None:
        """Set written accepted slices to accepted or corrected, by their prediction."""
        states = self.states
        same = {i: self.masks.is_as_predicted(i) for i in written if states[i].is_accepted}
        if not same:
            return
        with self._lock:
            # The states may have changed in the meantime.
            now = dict(enumerate(self.states))
            now |= {i: accepted_state(same[i]) for i in same if now[i].is_accepted}
            self._change(states=tuple(now.values()))

    def _assign_splits(self) -> dict[int, Split]:
        independent = "N" in self.scan.axes
        record = self._record
        names = record.scan.names if independent else ()
        return assign_splits(
            self.accepted,
            record.sides,
            count=len(record.states),
            independent=independent,
            seed=record.seed,
            is_labelled=self.is_labelled,
            patients=[group_of(name) for name in names],
        )
