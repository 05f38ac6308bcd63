"""The job of a round: saves the mask and fine-tunes in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import NothingToLearnError
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.training_process import NICENESS
from napari_unet_seg.session.rounds import run_round

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.events import Command
    from napari_unet_seg.session.session import Session


def round_events(
    session: Session, labels: Any, config: TrainConfig, base: Path, other_sessions: Sequence[Path]
) -> Generator[Any, Command | None, None]:
    """Save the present mask, fine-tune in a child process, and release the session.

    Parameters
    ----------
    session : Session
        The session, which is held.
    labels : array
        The present mask of the session.
    config : TrainConfig
        Settings of the round.
    base : Path
        The checkpoint that the round starts from.
    other_sessions : sequence of Path
        Folders of further sessions to learn from.

    Yields
    ------
    event
        Those of `run_round`.
    """
    try:
        session.save_mask(labels)
        with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
            yield from run_round(session, config, base, engine.stream, other_sessions)
    finally:
        session.close()


def postponing(
    events: Generator[Any, Command | None, None],
) -> Generator[Any, Command | None, None]:
    """Yield events; a `NothingToLearnError` is yielded as the last event, not raised."""
    try:
        yield from events
    except NothingToLearnError as error:
        yield error
