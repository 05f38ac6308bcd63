"""Rounds of fine-tuning: always from the first model, over the union of all corrections."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg._held_out import assign_sides
from napari_unet_seg._session_lock import InUseError
from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.fine_tune import fine_tune, union
from napari_unet_seg.io.weights import read_header
from napari_unet_seg.session import Round, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.events import Command, FineTuned


def run_round(
    session: Session,
    config: TrainConfig,
    model: Path,
    stream: Callable[..., Any],
    others: Sequence[Path] = (),
) -> Generator[Any, Command | None, None]:
    """Fine-tune on the accepted slices of sessions, and store in one of them what it brought.

    If the model is itself of such a round, this one starts where that one did, and takes the
    accepted slices of that round's sessions too: training on the result of earlier rounds again
    and again would drift.

    Of sessions with one accepted slice about a fifth is held out, as of the slices of one session.

    Parameters
    ----------
    session : Session
        Gets the round; saved.
    config : TrainConfig
        `config.FINE_TUNE`, or what the user made of them.
    model : Path
        Checkpoint that the session works with.
    stream : callable
        As in `fine_tune`.
    others : sequence of Path
        Folders of more sessions to learn from, those of the other scans of a folder for example.
        One that cannot be opened is left out.

    Yields
    ------
    TrainEvent, SampleMeasured, Evaluated, FineTuned or Round
        Those of `fine_tune`; the last event is the `Round`, stored in the session unless that is
        open elsewhere by then. After `Command.STOP` before the first step there is none.

    Raises
    ------
    DataError
        If no slice is accepted, or the only one would be held out; if the sessions differ in their
        categories.
    CheckpointError
        If the model cannot be read.
    """
    base, sessions = lineage(session, model, others)
    used = [s for s in sessions if s.accepted] or [session]
    _hold_out(used)
    dimensions = read_header(base).model.dimensions
    samples = union([s.training_samples(dimensions) for s in used])
    if all(s.split == "valid" for s in samples.samples):
        raise DataError(f"All accepted slices of {session.folder.name} are held out; accept more.")
    folder = session.new_round()
    done = yield from fine_tune(config, base, samples, folder, stream)
    if done is not None:
        beside = tuple(str(s.folder) for s in used if s is not session)
        result = _round(done, int(folder.name), session, base, beside)
        with suppress(InUseError):  # whoever has it open keeps his own record
            session.finish_round(result)
        yield result


def _hold_out(sessions: Sequence[Session]) -> None:
    """Hold out about a fifth of the sessions of one accepted slice; each would train on its own."""
    lone = sorted((s for s in sessions if len(s.accepted) == 1), key=lambda s: s.folder)
    slices = [s.accepted[0] for s in lone]
    sides = [s.sides.get(index) for s, index in zip(lone, slices, strict=True)]
    known = {i: side for i, side in enumerate(sides) if side is not None}
    drawn = assign_sides(range(len(lone)), known, count=len(lone), independent=True, seed=0)
    for i in drawn.keys() - known.keys():
        lone[i].set_side(slices[i], drawn[i])


def _round(
    done: FineTuned, number: int, session: Session, base: Path, beside: tuple[str, ...]
) -> Round:
    old = done.old
    return Round(
        number=number,
        checkpoint=str(done.finished.best.relative_to(session.folder)),
        base=str(base),
        before=done.new.before,
        after=done.new.after,
        train=done.train,
        held_out=done.new.samples,
        epochs=done.finished.epochs,
        stopped=done.finished.stopped,
        replayed=done.replayed,
        old_before=old.before if old else None,
        old_after=old.after if old else None,
        old_held_out=old.samples if old else 0,
        sessions=beside,
    )


def lineage(
    session: Session, model: Path, others: Sequence[Path] = ()
) -> tuple[Path, list[Session]]:
    """Return the model at the root of a session's rounds, and the sessions to learn from.

    These are the session, those whose rounds lie on the way to that model, with all that the rounds
    learnt from, and others. A session that cannot be opened any more is left out; a base that is
    gone, or the session of a round, ends the way.
    """
    known = _Known(session)
    base = model
    while (made := _made(base, known)) is not None:
        base = Path(made.base)
        known.open_all(map(Path, made.sessions))
    known.open_all(others)
    return base, list(known.sessions.values())


class _Known:
    """Sessions, each opened once."""

    def __init__(self, session: Session) -> None:
        self.sessions = {session.folder.resolve(): session}

    def open(self, folder: Path) -> Session | None:
        """Return the session in a folder, None where it cannot be opened."""
        folder = folder.resolve()
        if folder not in self.sessions:
            try:
                self.sessions[folder] = Session.open(folder)
            except SegmentationError:
                return None
        return self.sessions[folder]

    def open_all(self, folders: Iterable[Path]) -> None:
        """Open the sessions in several folders."""
        for folder in folders:
            self.open(folder)


def _made(model: Path, known: _Known) -> Round | None:
    """Return the round that made a model, if there is what it started from."""
    if len(model.parents) < 3 or model.parents[1].name != "rounds":
        return None
    maker = known.open(model.parents[2])
    if maker is None:
        return None
    for made in maker.rounds:
        is_it = (maker.folder / made.checkpoint).resolve() == model.resolve()
        if is_it and Path(made.base).is_file():
            return made
    return None
