"""Rounds of fine-tuning: always from the first model, over the union of all corrections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.fine_tune import fine_tune, union
from napari_unet_seg.io.weights import read_header
from napari_unet_seg.session import Round, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.events import Command, FineTuned


def run_round(
    session: Session,
    config: TrainConfig,
    model: Path,
    stream: Callable[..., Any],
) -> Generator[Any, Command | None, None]:
    """Fine-tune on the accepted slices of a session, and store what it brought.

    If the model is itself of such a round, this one starts where that one did, and takes that
    session's accepted slices too: training on the result of earlier rounds again and again would
    drift.

    Parameters
    ----------
    session : Session
        With accepted slices, saved.
    config : TrainConfig
        `config.FINE_TUNE`, or what the user made of them.
    model : Path
        Checkpoint that the session works with.
    stream : callable
        As in `fine_tune`.

    Yields
    ------
    TrainEvent, SampleMeasured, Evaluated, FineTuned or Round
        Those of `fine_tune`; the last event is the `Round`, stored in the session. After
        `Command.STOP` before the first step there is none.

    Raises
    ------
    DataError
        If no slice is accepted, or the only one would be held out.
    CheckpointError
        If the model cannot be read.
    """
    base, sessions = lineage(session, model)
    dimensions = read_header(base).model.dimensions
    samples = union([s.training_samples(dimensions) for s in sessions])
    if all(s.split == "valid" for s in samples.samples):
        raise DataError(f"All accepted slices of {session.folder.name} are held out; accept more.")
    folder = session.new_round()
    done = yield from fine_tune(config, base, samples, folder, stream)
    if done is not None:
        result = _round(done, int(folder.name), session, base)
        session.finish_round(result)
        yield result


def _round(done: FineTuned, number: int, session: Session, base: Path) -> Round:
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
    )


def lineage(session: Session, model: Path) -> tuple[Path, list[Session]]:
    """Return the model at the root of a session's rounds, and the sessions on the way to it.

    A session that cannot be opened any more, or a base that is gone, ends the way.
    """
    sessions = {session.folder.resolve(): session}
    base = model
    while (made := _made(base, sessions)) is not None:
        maker, before = made
        sessions.setdefault(maker.folder.resolve(), maker)
        base = before
    return base, list(sessions.values())


def _made(model: Path, known: dict[Path, Session]) -> tuple[Session, Path] | None:
    """Return the session whose round made a model, and the model that the round started from."""
    if len(model.parents) < 3 or model.parents[1].name != "rounds":
        return None
    folder = model.parents[2].resolve()
    try:
        maker = known.get(folder) or Session.open(folder)
    except SegmentationError:
        return None
    bases = {maker.folder.resolve() / r.checkpoint: Path(r.base) for r in maker.rounds}
    base = bases.get(model.resolve())
    return (maker, base) if base is not None and base.is_file() else None
