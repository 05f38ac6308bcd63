"""The sessions that a round of fine-tuning learns from, and whether its result is still wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.session.held_out import unused_slices
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from napari_unet_seg._napari.scans.folder import OtherSessions, ScanFolder
    from napari_unet_seg.session.folders import FoundSession
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.record import Round


class RoundScope:
    """Knows the open session, the other sessions of its folder of scans, and the last round.

    Parameters
    ----------
    scans : callable
        Returns the open folder of scans, None if there is none.
    other_sessions : callable
        Returns the sessions on the folder's other scans, which are trained on too.
    """

    def __init__(
        self,
        scans: Callable[[], ScanFolder | None],
        other_sessions: Callable[[], OtherSessions | None],
    ) -> None:
        self._scans, self._get_other_sessions = scans, other_sessions
        self.session: Session | None = None
        """The open session."""
        self._trained: Session | None = None
        """The session of the running or last round."""
        self._folder: ScanFolder | None = None
        """The folder of scans of the round, which continues while the folder is open."""
        self.tunes_point = False
        """Whether the running or last round tunes the network of Point."""
        self.is_stopped = False
        """Whether closing the session stopped the round."""
        self._last: Round | None = None
        """The last stored round; the records that were read before may not have it yet."""

    @property
    def other_sessions(self) -> OtherSessions | None:
        """The other sessions of the open folder that a round trains on; None without a folder."""
        return self._get_other_sessions()

    @property
    def others(self) -> Sequence[FoundSession]:
        """The records of these sessions."""
        found = self.other_sessions
        return () if found is None else found.sessions

    @property
    def accepted(self) -> int:
        """The number of accepted slices, in the open session and in the other sessions."""
        own = len(self.session.accepted) if self.session else 0
        return own + sum(len(found.accepted) for found in self.others)

    @property
    def unused(self) -> set[tuple[Path, int]]:
        """The accepted slices that no round of Segment has used, each with its session's folder."""
        records = {found.folder: found.record for found in self.others}
        if self.session is not None:
            records[self.session.folder] = self.session.record
        return {(folder, i) for folder, record in records.items() for i in unused_slices(record)}

    @property
    def held_out(self) -> tuple[int, int]:
        """The number of accepted slices held out, and of all that have a split by now."""
        accepted = [(found.accepted, found.record.sides) for found in self.others]
        if self.session is not None:
            accepted.append((self.session.accepted, self.session.splits))
        splits = [sides[i] for indices, sides in accepted for i in indices if i in sides]
        return splits.count("valid"), len(splits)

    @property
    def rounds(self) -> list[Round]:
        """The rounds of the open session and of the other sessions, in their order."""
        rounds = [*(self.session.rounds if self.session else ())]
        rounds += [each for found in self.others for each in found.record.rounds]
        if self._last is not None and self._last not in rounds and self.applies:
            rounds.append(self._last)
        return sorted(rounds, key=lambda each: each.number)

    @property
    def is_folder_open(self) -> bool:
        """Whether the folder of scans of the round is still open."""
        return self._folder is not None and self._scans() is self._folder

    @property
    def applies(self) -> bool:
        """Whether the last round belongs to the open session or folder."""
        session, trained = self.session, self._trained
        if session is trained:
            return not self.is_stopped
        if trained is None or self._folder is None:
            return False
        if session is None:
            return self.is_folder_open
        others = self.other_sessions
        same = others is not None and others.folder is self._folder
        return same and names(session.categories) == names(trained.categories)

    def begin(self, *, tunes_point: bool) -> None:
        """Record that a round on the open session and the other sessions begins."""
        self.tunes_point = tunes_point
        others = self.other_sessions
        self._trained, self._folder = self.session, others.folder if others else None
        self.is_stopped, self._last = False, None

    def stop(self) -> None:
        """Record that the round is stopped because its session is closed."""
        self.is_stopped = True

    def leave_folder(self) -> None:
        """Record that no round continues with the folder, because the dock is closed."""
        self._folder = None

    def add(self, finished: Round) -> None:
        """Record the stored round."""
        self._last = finished

    def checkpoint_of(self, finished: Round) -> Path:
        """Return the path of the model of the last round."""
        assert self._trained is not None
        return self._trained.folder / finished.checkpoint
