"""Rounds of fine-tuning: always from the first model, over the union of all corrections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError, NothingToLearnError, SegmentationError
from napari_unet_seg.events import Command, ItemDone
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.held_out import SMALL, assign_scans
from napari_unet_seg.session.masks import has_mask
from napari_unet_seg.session.model_lineage import lineage, unique
from napari_unet_seg.session.session import Round, Session
from napari_unet_seg.training.fine_tune import fine_tune, union

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import FineTuned


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

    Of several sessions those with few accepted slices are held out as a whole, about a fifth.

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

    Yields
    ------
    ItemDone, TrainEvent, SampleMeasured, Evaluated, FineTuned or Round
        The other sessions as they are read, `problem` telling why one is left out; then those of
        `fine_tune`; the last event is the `Round`, stored in the session. After `Command.STOP`
        before the first step there is none.

    Raises
    ------
    DataError
        If no slice is accepted; as `NothingToLearnError` if none to train on has a mask; if the
        sessions differ in their categories; if the session is open elsewhere when the round is to
        be stored.
    CheckpointError
        If the model cannot be read.
    """
    base, before = lineage(session, model)
    folders = [f for f in unique([*before, *others]) if f != session.folder.resolve()]
    dimensions = read_header(base).model.dimensions
    sets = yield from _gather(session, folders, dimensions)
    if sets is None:
        return
    if not sets:
        raise DataError("None of the sessions to learn from can be read; accept some slices here.")
    samples = union(list(sets.values()))
    last = max((r.number for s in sets for r in s.rounds), default=0)
    if not any(s.split != "valid" and _is_labelled(s) for s in samples.samples):
        raise NothingToLearnError(
            "No accepted slice that is trained on has a mask yet; accept one that shows what is to "
            "be found."
        )
    folder = session.new_round(last)  # so that the rounds of many sessions are told apart
    done = yield from fine_tune(config, base, samples, folder, stream)
    if done is not None:
        further = tuple(str(s.folder) for s in sets if s.folder not in (session.folder, *before))
        result = Round(
            number=int(folder.name),
            checkpoint=str(done.finished.best.relative_to(session.folder)),
            base=str(base),
            model=str(model),
            sessions=further,
            **_figures(done),
        )
        session.finish_round(result)
        yield result


def _gather(
    session: Session, folders: Sequence[Path], dimensions: int
) -> Generator[ItemDone, Command | None, dict[Session, SampleSet] | None]:
    """Read the accepted slices of sessions; None where it was stopped.

    The first session must be readable; of the others those that are not are left out.
    """
    opened = [session]
    for index, folder in enumerate(folders, 1):
        problem = ""
        try:
            opened.append(_opened(folder))
        except SegmentationError as error:
            problem = str(error)
        if (yield ItemDone(index, len(folders), folder.name, problem)) is Command.STOP:
            return None
    used = [s for s in opened if s.accepted] or [session]
    if len(used) > 1:
        _hold_out(used)
    others = [s for s in used if s is not session]
    sets = {s: s.training_samples(dimensions) for s in used if s is session}
    for index, other in enumerate(others, 1):
        problem = ""
        try:
            other.settle_sides()
            sets[other] = other.training_samples(dimensions)
        except SegmentationError as error:
            problem = str(error)
        if (yield ItemDone(index, len(others), other.folder.name, problem)) is Command.STOP:
            return None
    return sets


def _may_train(session: Session) -> bool:
    """Whether a slice that is not held out, as far as that is known, has a mask."""
    try:
        return any(
            session.is_labelled(i) for i in session.accepted if session.sides.get(i) != "valid"
        )
    except DataError:
        return False  # it is told when the session is read


def _is_labelled(sample: Sample) -> bool:
    return isinstance(sample.mask, Path) or has_mask(sample.mask)


def _opened(folder: Path) -> Session:
    """Open a session to learn from, if the sides of its slices can be stored.

    Else a later round might train on what this one holds out.
    """
    session = Session.open(folder)
    if any(i not in session.sides for i in session.accepted):
        with session.lock.writing():
            pass
    return session


def _hold_out(sessions: Sequence[Session]) -> None:
    """Put every small session on one side; those that have both already stay as they are."""
    small = [
        s
        for s in sorted(sessions, key=lambda s: s.folder)
        if 0 < len(s.accepted) < SMALL and len(set(s.sides.values())) < 2
    ]
    known = {i: next(iter(s.sides.values())) for i, s in enumerate(small) if s.sides}
    # Of those that are cut in two, a slice with a mask is trained on if they have one.
    trained = any(_may_train(s) for s in sessions if s not in small)
    labelled = None if trained else lambda i: _may_train(small[i])
    for i, side in assign_scans([len(s.accepted) for s in small], known, labelled).items():
        for index in small[i].accepted:
            if index not in small[i].sides:
                small[i].set_side(index, side)


def _figures(done: FineTuned) -> dict[str, Any]:
    old = done.old
    return {
        "before": done.new.before,
        "after": done.new.after,
        "train": done.train,
        "held_out": done.new.samples,
        "epochs": done.finished.epochs,
        "stopped": done.finished.stopped,
        "replayed": done.replayed,
        "old_before": old.before if old else None,
        "old_after": old.after if old else None,
        "old_held_out": old.samples if old else 0,
    }
