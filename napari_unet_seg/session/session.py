"""One correct-and-fine-tune project on disk.

A session is a folder: `session.json` (the scan with its hash and grid, the categories, the state
of every slice, the rounds), `predictions/prediction.tif` (what the network said, never changed),
`masks/NNNNN.tif` (the corrected slices, each with its version before) and `rounds/NN/` (the runs
of fine-tuning). Only slices that differ from what is stored are written.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_unet_seg import __version__
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import slice_name
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.session.held_out import Side, assign_sides
from napari_unet_seg.session.lock import InUseError, SessionLock, left_open
from napari_unet_seg.session.log import SessionLog
from napari_unet_seg.session.masks import (
    Changes,
    MaskStore,
    check_labels,
    compare,
    grid_error,
    has_mask,
    stray_label,
)
from napari_unet_seg.session.record import (
    LayersRecord,
    Origin,
    Round,
    SessionRecord,
    new_folder,
    read_record,
    write_record,
)
from napari_unet_seg.session.review_queue import ReviewState, accepted_state, known_figure
from napari_unet_seg.session.samples import slices, volumes
from napari_unet_seg.session.scan import open_scan, record_scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.scan import Scan


__all__ = ["Changes", "ReviewState", "Round", "Session", "compare", "left_open", "stray_label"]


class Session(SessionLog):
    """A scan, its prediction, the corrections and the rounds of fine-tuning; see the module.

    Slices are counted along all leading axes flattened; a 2D image is one slice. States are kept
    in memory until `save` or `save_mask`.

    Anybody may read a session at any time. It is written to by one at a time: for a moment, or,
    after `hold`, until `close`.
    """

    def __init__(
        self, folder: Path, record: SessionRecord, scan: Scan, lock: SessionLock | None = None
    ) -> None:
        super().__init__(folder, record, lock or SessionLock(folder))
        self.scan = scan
        self.masks = MaskStore(folder, scan)

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
        origin: Origin | None = None,
        layers: LayersRecord | None = None,
    ) -> Self:
        """Start a session in a new or empty folder; after an error the folder is as it was.

        Parameters
        ----------
        folder : Path
            Where the session goes.
        scan : Scan
            With its file, or its data are copied into the session.
        categories : sequence of Category
            What the label values from 1 stand for.
        prediction : array
            Labels to start from, of the scan's `grid_shape`.
        checkpoint : Path, optional
            The model that made them, from which fine-tuning starts.
        predicted_dice : sequence of float or None, optional
            How well the network thinks that its mask fits, one figure a slice; None or NaN where
            it does not tell.
        origin : Origin, optional
            What the scan and the mask were read from.
        layers : LayersRecord, optional
            How they are shown.

        Raises
        ------
        DataError
            If the folder is in use or cannot be written, or the prediction does not fit; if a scan
            without a file holds numbers that cannot be stored.
        """
        folder = Path(folder).expanduser().absolute()
        labels = np.asarray(prediction)
        check_labels(labels, scan, len(categories))
        count = int(np.prod(scan.grid_shape[:-2]))
        if len(predicted_dice) not in (0, count):
            raise DataError(
                f"There are {len(predicted_dice)} figures of predicted Dice and {count} slices; "
                "give one for each slice."
            )
        with new_folder(folder) as new:
            masks = MaskStore(new, scan)
            # First, so that a stroke meanwhile is taken for a change and not for stored.
            masks.remember(labels)
            masks.write_prediction(labels, {"categories": [c.name for c in categories]})
            record = SessionRecord(
                version=__version__,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                scan=record_scan(scan, new, layers.image if layers else ""),
                categories=tuple(categories),
                checkpoint=str(checkpoint.absolute()) if checkpoint else "",
                checkpoint_sha256=sha256(checkpoint) if checkpoint else "",
                states=(ReviewState.TODO,) * count,
                predicted_dice=tuple(map(known_figure, predicted_dice)),
                origin=origin or Origin(),
                layers=layers or LayersRecord(),
            )
            write_record(new, record)
        session = cls(folder, record, open_scan(record.scan, folder))
        session.masks.digests = masks.digests
        return session

    @classmethod
    def open(cls, folder: Path | str, *, hold: bool = False) -> Self:
        """Open a session where it was left.

        Parameters
        ----------
        folder : Path
            Of the session.
        hold : bool
            Whether to `hold` it from before it is read.

        Raises
        ------
        DataError
            If the folder is no session, is damaged, or its scan is missing or has changed; if it is
            to be held, but is open elsewhere.
        """
        folder = Path(folder).expanduser().absolute()
        record = read_record(folder)
        lock = SessionLock(folder)
        if hold:
            lock.hold()
        try:
            # Again, as whoever held it until now may have written.
            record = read_record(folder) if hold else record
            session = cls(folder, record, open_scan(record.scan, folder), lock)
            path = session.masks.prediction_path
            if not path.is_file():
                raise DataError(f"{path} is missing; restore it, or start a new session.")
        except BaseException:
            lock.let_go()
            raise
        return session

    def name_of(self, index: int) -> str:
        """Name of a slice; in a scan without a file of its own, by the image's name."""
        image, path = self.layers.image, self.scan.path
        copied = path is not None and path.parent == self.folder
        return f"{image}#{index}" if copied and image else slice_name(self.scan, index)

    @property
    def prediction(self) -> Array:
        """The whole original prediction, read anew."""
        return self.masks.prediction()

    def load_mask(self) -> Array:
        """Read the whole mask as it was last saved."""
        return self.masks.load()

    def save_mask(self, labels: Any, slices: Iterable[int] | None = None) -> tuple[int, ...]:
        """Write the slices that differ from what is stored, and `session.json` if it does.

        Each slice is copied before it is looked at: one that is being painted on meanwhile is
        stored as it was at that moment, and again by the next call. An accepted slice that is
        written is marked by whether it differs from its prediction.

        Parameters
        ----------
        labels : array
            Of the scan's grid; the very array of a layer will do.
        slices : iterable of int, optional
            Where to look; everywhere by default.

        Returns
        -------
        tuple of int
            The slices written.

        Raises
        ------
        DataError
            If the labels are on another grid or a file cannot be written.
        """
        if tuple(labels.shape) != self.masks.shape:
            raise grid_error(tuple(labels.shape), self.scan)
        with self.lock.writing():
            written: list[int] = []
            try:
                written.extend(self.masks.save(labels, slices, {"session": self.folder.name}))
            finally:
                # What was written before an error is not written again.
                self._mark_again(written)
            self.save(anew=bool(written))
        return tuple(written)

    def changes(self, labels: Any, index: int) -> Changes:
        """Compare one slice of labels on the scan's grid with the prediction."""
        plane = np.asarray(labels[self.masks.place(index)])
        return compare(self.masks.read_prediction(index), plane)

    def is_labelled(self, index: int) -> bool:
        """Whether a slice, as it is stored, has a mask; unreviewed pixels are none."""
        return has_mask(self.masks.read(index))

    def held_out(self) -> tuple[int, ...]:
        """Accepted slices that no round trains on; those drawn once are never given back."""
        sides = self._sides()
        return tuple(i for i in self.accepted if sides[i] == "valid")

    def settle_sides(self) -> None:
        """Give the accepted slices that have no side one for good, and store it.

        Raises
        ------
        DataError
            If it cannot be stored, as the session is open elsewhere or its folder is read-only.
        """
        sides = self._sides()  # which reads masks, so nobody has to wait for it
        with self._lock:
            if sides != self.sides:
                self._change(sides=sides)
        self.save()

    def training_samples(self, dimensions: int = 2) -> SampleSet:
        """Return the accepted slices as stored: held-out ones to validate, others to train on.

        Parameters
        ----------
        dimensions : int
            3 for a network of volumes: two samples, in which the slices of the other side and
            those that are not accepted count as unreviewed.

        Raises
        ------
        DataError
            If no slice is accepted yet.
        """
        if not self.accepted:
            raise DataError(
                f"No slice of the session {self.folder.name} is accepted yet; accept some."
            )
        with suppress(InUseError):
            # Whoever has it open keeps his own record; the run keeps the sides it was trained with.
            self.settle_sides()
        sides = {i: side for i, side in self.sides.items() if self.states[i].is_accepted}
        cut = volumes if dimensions == 3 else slices
        samples = cut(self.scan, self.masks, dict(sorted(sides.items())))
        return SampleSet(samples, self.categories, f"session {self.folder.name}")

    def _mark_again(self, written: Iterable[int]) -> None:
        """Let the states of accepted slices follow what was written."""
        states = self.states
        same = {i: self.masks.is_as_predicted(i) for i in written if states[i].is_accepted}
        if not same:
            return
        with self._lock:
            # Decided on anew meanwhile, perhaps.
            now = dict(enumerate(self.states))
            now |= {i: accepted_state(same[i]) for i in same if now[i].is_accepted}
            self._change(states=tuple(now.values()))

    def _sides(self) -> dict[int, Side]:
        independent = "N" in self.scan.axes
        record = self._record
        return assign_sides(
            self.accepted,
            record.sides,
            count=len(record.states),
            independent=independent,
            seed=record.seed,
            is_labelled=self.is_labelled,
        )
