"""The models that a session has used, their origin, and the decision to use another model."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.models.description import session_of
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.stored.record import read_record
from napari_unet_seg.training.held_out.unchanged import unchanged
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.session.folders import FoundSession
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.record import Round, SessionRecord


def is_usable(finished: Round) -> bool:
    """Whether a round changed the model, without loss of Dice on held-out slices.

    A round that was stopped before it was measured is not usable.
    """
    if finished.unchanged:
        return False
    before, after = finished.before, finished.after
    if after is None:
        return not finished.stopped
    return before is None or after >= before


class Use(Enum):
    """Whether the model of a round is used next."""

    YES = "yes"
    NO = "no"
    ASK = "ask"
    """The user started the round, and the model became worse."""


def use_of(finished: Round, *, by_user: bool) -> Use:
    """Return whether the model of a round is used next."""
    if is_usable(finished):
        return Use.YES
    if not by_user or finished.unchanged:
        return Use.NO
    # Who stopped a round before it was measured has seen its course.
    return Use.YES if finished.after is None else Use.ASK


def refusal(finished: Round) -> str:
    """Return a message with the reason why the model of a round is not used."""
    if finished.unchanged:
        return f"Round {finished.number}: {unchanged(finished.held_out, 'slice')}."
    if finished.before is None or finished.after is None:
        return f"Round {finished.number} was stopped before it was measured; the model stays."
    return (
        f"Round {finished.number} is worse on the held-out slices "
        f"({change_of_dice(finished.before, finished.after)}); the previous model stays."
    )


def change_of_dice(before: float | None, after: float | None) -> str:
    """Return two values of Dice, with enough digits to tell them apart."""
    digits = 3
    while before != after and digits < 6 and _score(before, digits) == _score(after, digits):
        digits += 1
    return f"{_score(before, digits)} → {_score(after, digits)}"


def _score(dice: float | None, digits: int) -> str:
    return "–" if dice is None else f"{dice:.{digits}f}"


def is_fine_tuned(model: Path) -> bool:
    """Whether a round of a session made a model."""
    return session_of(model) is not None


def stored_path(model: Path, folder: Path) -> str:
    """Return the path of a model, relative if the session's folder contains it."""
    return (model.relative_to(folder) if model.is_relative_to(folder) else model).as_posix()


def models_of(folder: Path, record: SessionRecord, base: Path) -> list[Path]:
    """Return the models that a session used one after another and that still exist.

    Networks for Point are none of them.

    Parameters
    ----------
    folder : Path
        Folder of the session.
    record : SessionRecord
        Record of the session; without recorded models, these are the base and the models of its
        rounds.
    base : Path
        The first model of the session.

    Returns
    -------
    list of Path
        The models, the present one last; never empty.
    """
    rounds = (r.checkpoint for r in record.rounds if is_usable(r) and not r.prompts)
    paths = [folder / path for path in record.models.used or (str(base), *rounds)]
    return [path for path in paths if path.is_file()] or [base]


def latest_models(session: Session, base: Path, others: Sequence[FoundSession]) -> list[Path]:
    """Return the models of the session used last: this one or another of its folder of scans."""
    own = models_of(session.folder, session.record, base)
    latest = max(others, key=lambda found: found.record.models.noted, default=None)
    if latest is None or latest.record.models.noted <= session.models.noted:
        return own
    return models_of(latest.folder, latest.record, own[0])


def predicted_by(session: Session, base: Path) -> Path:
    """Return the model that predicted the slices to do of a session."""
    return session.folder / (session.models.predicted_by or base)


def model_mismatch(model: Path, categories: Sequence[Category]) -> str:
    """Return why a model cannot predict the slices of a session, as a message; empty if it can."""
    try:
        header = read_header(model)
    except SegmentationError as error:
        return str(error)
    if header.model.prompts:
        return f"{model.name} follows prompts alone; the slices are not predicted again."
    theirs, ours = names(header.categories), names(categories)
    if theirs == ours:
        return ""
    return (
        f"{model.name} predicts {', '.join(theirs)}, and the session has {', '.join(ours)}; its "
        "slices are not predicted again."
    )


def category_mismatch(theirs: Sequence[Category], ours: Sequence[Category]) -> str:
    """Return why a session of the categories `ours` cannot learn from another one; empty if so."""
    if names(theirs) == names(ours):
        return ""
    return (
        f"its categories are {', '.join(names(theirs))}, and those of the open session "
        f"{', '.join(names(ours))}; what its slices taught the model stays, and they are not "
        "learned from again."
    )


class UsedModels:
    """The models that were used one after another, across the sessions of a folder of scans."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        """The models, the present one last."""
        self.owner: Hashable = None
        """The session's folder, or the folder of scans with the categories, they belong to."""

    @property
    def present(self) -> Path | None:
        """The model used last."""
        return self.paths[-1] if self.paths else None

    @property
    def can_go_back(self) -> bool:
        """Whether there was a model before the present one."""
        return len(self.paths) > 1

    def add(self, model: Path) -> None:
        """Add the new present model."""
        self.paths.append(model)

    def go_back(self) -> bool:
        """Return to the model before the present one; return whether there is such a model."""
        if self.can_go_back:
            self.paths.pop()
            return True
        return False

    def enter_session(self, owner: Hashable, own: list[Path], chosen: Path) -> None:
        """Keep the present models for a session of the same owner, else use the session's own.

        Parameters
        ----------
        owner : hashable
            The owner of the session's models; see `owner`.
        own : list of Path
            Models of the session, from `models_of`.
        chosen : Path
            The model chosen in Segment; if it is not the present model, `own` is used.
        """
        kept = self.paths if self.owner == owner and self.present == chosen else []
        longer = kept[-1:] == own[-1:] and len(own) > len(kept)
        self.paths = own if longer or not kept else kept
        self.owner = owner


def lineage(session: Session, model: Path) -> tuple[Path, list[Path]]:
    """Return the model from which a chain of rounds started, and the sessions of these rounds.

    The sessions are the folders of those whose rounds made the models of the chain, and of those
    that the rounds learned from, without the given session. An unreadable session, a missing base
    model, or a session of other categories ends the chain: the present session cannot learn from
    the slices of the latter, but starts from the model that did.
    """
    base, folders, seen = model, [], set[Path]()
    while model not in seen and (made := _made(model)) is not None:
        seen.add(model)
        folders += [model.parents[2], *map(Path, made.sessions)]
        if category_mismatch(read_record(model.parents[2]).categories, session.categories):
            break
        base = Path(made.base)
        model = Path(made.model or made.base)
    return base, [f for f in unique_folders(folders) if f != session.folder.resolve()]


def unique_folders(folders: Iterable[Path]) -> list[Path]:
    """Return folders in their order without duplicates."""
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def _made(model: Path) -> Round | None:
    """Return the round that made a model, None if there is none or its base is missing."""
    folder = session_of(model)
    if folder is None:
        return None
    try:
        rounds = read_record(folder).rounds
    except DataError:
        return None
    for made in rounds:
        is_it = (folder / made.checkpoint).resolve() == model.resolve()
        if is_it and Path(made.base).is_file():
            return made
    return None
