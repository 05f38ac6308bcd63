"""Rounds of fine-tuning, each from the first model on the union of all corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.errors import DataError, NothingToLearnError
from napari_unet_seg.events import Command, ItemDone
from napari_unet_seg.io.common.names import group_of
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.held_out import SMALL, assign_scans
from napari_unet_seg.session.model_lineage import category_mismatch, lineage, unique_folders
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.slice_labels import has_mask
from napari_unet_seg.session.stored.record import Round
from napari_unet_seg.training.fine_tune import fine_tune, union

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category, TrainConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import FineTuned
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.session.held_out import Split

_MANY = 5
"""Patients from which a fifth of them is held out, rather than a fifth of the slices of each."""


def run_round(
    session: Session,
    config: TrainConfig,
    model: Path,
    stream: Callable[..., Any],
    others: Sequence[Path] = (),
) -> Generator[Any, Command | None, None]:
    """Fine-tune on the accepted slices of sessions, and store the round in one of them.

    If a round made the model, this round starts from that round's base model, and takes the
    accepted slices of that round's sessions too: repeated training on the results of previous
    rounds would drift.

    Of five or more patients, and of those with few accepted slices, about a fifth is held out as a
    whole.

    Parameters
    ----------
    session : Session
        The saved session that gets the round.
    config : TrainConfig
        `config.FINE_TUNE`, or the user's changes of it.
    model : Path
        Present checkpoint of the session.
    stream : callable
        As in `fine_tune`.
    others : sequence of Path
        Folders of more sessions to learn from, those of the other scans of a folder for example.

    Yields
    ------
    ItemDone, TrainEvent, SampleMeasured, Evaluated, FineTuned or Round
        An event for each other session, with the `problem` of a skipped session; then the events
        of `fine_tune`; the last event is the `Round`, stored in the session. After `Command.STOP`
        before the first step there is no round.

    Raises
    ------
    DataError
        If no slice is accepted; as `NothingToLearnError` if no slice to train on has a mask; if
        the session is open elsewhere when the round is to be stored.
    CheckpointError
        If the model cannot be read.
    """
    base, before = lineage(session, model)
    folders = [f for f in unique_folders([*before, *others]) if f != session.folder.resolve()]
    sets = yield from _gather(session, folders, read_header(base))
    if sets is None:
        return
    if not sets:
        raise DataError("None of the sessions to learn from can be read; accept some slices here.")
    samples = union(list(sets.values()))
    last = max((r.number for s in sets for r in s.rounds), default=0)
    if not any(s.split != "valid" and _is_labelled(s) for s in samples.samples):
        raise NothingToLearnError(
            "No accepted slice to train on has a mask yet; accept a slice that shows an object of "
            "the categories."
        )
    folder = session.new_round(last)  # numbers are unique among the sessions
    done = yield from fine_tune(config, base, samples, folder, stream)
    if done is not None:
        further = tuple(str(s.folder) for s in sets if s.folder not in (session.folder, *before))
        result = Round(
            number=int(folder.name),
            checkpoint=str(done.finished.best.relative_to(session.folder)),
            base=str(base),
            model=str(model),
            sessions=further,
            prompts=read_header(done.finished.best).model.prompts,
            **_scores(done),
        )
        session.finish_round(result)
        yield result


def _gather(
    session: Session, folders: Sequence[Path], info: CheckpointInfo
) -> Generator[ItemDone, Command | None, dict[Session, SampleSet] | None]:
    """Read the accepted slices of sessions; return None after a stop.

    The first session must be readable; unreadable others are skipped.
    """
    opened = [session]
    for index, folder in enumerate(folders, 1):
        problem = ""
        try:
            opened.append(_opened(folder, session.categories))
        except Exception as error:
            problem = log.problem(error, folder)
        if (yield ItemDone(index, len(folders), folder.name, problem)) is Command.STOP:
            return None
    used = [s for s in opened if s.accepted] or [session]
    for each in used:
        each.count_use(in_point=info.model.prompts)
    if len(used) > 1:
        hold_out(used)
    taken = info.model.dimensions, info.sequences, info.normalise
    others = [s for s in used if s is not session]
    sets = {s: training_samples(s, *taken) for s in used if s is session}
    for index, other in enumerate(others, 1):
        problem = ""
        try:
            other.store_splits()
            sets[other] = training_samples(other, *taken)
        except Exception as error:
            problem = log.problem(error, other.folder)
        if (yield ItemDone(index, len(others), other.folder.name, problem)) is Command.STOP:
            return None
    return sets


def _may_train(session: Session) -> bool:
    """Whether an accepted slice that is not held out has a mask."""
    try:
        return any(
            session.is_labelled(i) for i in session.accepted if session.splits.get(i) != "valid"
        )
    except DataError:
        return False  # reported when the samples of the session are read


def _is_labelled(sample: Sample) -> bool:
    return not isinstance(sample.mask, np.ndarray) or has_mask(sample.mask)


def _opened(folder: Path, categories: Sequence[Category]) -> Session:
    """Open a session to learn from, if the splits of its slices can be stored.

    Otherwise a later round might train on slices that this round holds out.

    Raises
    ------
    DataError
        If the session cannot be opened, or has other categories.
    """
    session = Session.open(folder)
    if mismatch := category_mismatch(session.categories, categories):
        raise DataError(mismatch)
    if any(i not in session.splits for i in session.accepted):
        with session.lock.writing():
            pass
    return session


def hold_out(sessions: Sequence[Session]) -> None:
    """Assign one split to each patient whose sessions do not have both splits already.

    Among few patients this concerns those with few accepted slices; a session with more of them
    divides its own.
    """
    patients: dict[str, list[Session]] = {}
    for session in sorted(sessions, key=lambda s: s.folder):
        patients.setdefault(group_of(session.folder.name), []).append(session)
    many = len(patients) >= _MANY
    whole = [own for own in patients.values() if _is_whole(own, many=many)]
    assigned = {i: split for i, own in enumerate(whole) for split in _splits_of(own)}
    # A larger session with a mask always trains on a slice with a mask.
    alone = [s for own in patients.values() if own not in whole for s in own]
    trained = any(_may_train(s) for s in alone)
    labelled = None if trained else lambda i: any(_may_train(s) for s in whole[i])
    sizes = [sum(len(s.accepted) for s in own) for own in whole]
    for i, split in assign_scans(sizes, assigned, labelled).items():
        for each in whole[i]:
            for index in each.accepted:
                if index not in each.splits:
                    each.set_split(index, split)


def _is_whole(sessions: Sequence[Session], *, many: bool) -> bool:
    """Whether the accepted slices of a patient get one split."""
    size = sum(len(s.accepted) for s in sessions)
    return size > 0 and (many or size < SMALL) and len(_splits_of(sessions)) < 2


def _splits_of(sessions: Sequence[Session]) -> set[Split]:
    return {split for s in sessions for split in s.splits.values()}


def _scores(done: FineTuned) -> dict[str, Any]:
    old = done.old
    return {
        "before": done.new.before,
        "after": done.new.after,
        "train": done.train,
        "held_out": done.new.samples,
        "epochs": done.finished.epochs,
        "stopped": done.finished.stopped,
        "unchanged": done.finished.is_unchanged,
        "replayed": done.replayed,
        "old_before": old.before if old else None,
        "old_after": old.after if old else None,
        "old_held_out": old.samples if old else 0,
    }
