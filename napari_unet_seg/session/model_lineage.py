"""Which models a session has used, where they came from, and whether the next one is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.record import read_record
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from napari_unet_seg.config import Category
    from napari_unet_seg.session.folders import Found
    from napari_unet_seg.session.record import Round, SessionRecord
    from napari_unet_seg.session.session import Session


def is_usable(finished: Round) -> bool:
    """Whether a round lost no Dice on the held-out slices, and was not stopped unmeasured."""
    before, after = finished.before, finished.after
    if after is None:
        return not finished.stopped
    return before is None or after >= before


def is_used(finished: Round, *, by_user: bool) -> bool:
    """Whether the model of a round is used from now on; if the user started the round, always."""
    return by_user or is_usable(finished)


def refusal(finished: Round) -> str:
    """Say why the model of a round is not used."""
    if finished.before is None or finished.after is None:
        return f"Round {finished.number} was stopped before it was measured; the model stays."
    return (
        f"Round {finished.number} is worse on the held-out slices ({finished.before:.3f} → "
        f"{finished.after:.3f}); the earlier model stays."
    )


def is_tuned(model: Path) -> bool:
    """Whether a model is of a round of some session."""
    return len(model.parents) > 2 and model.parents[1].name == "rounds"


def stored_path(model: Path, folder: Path) -> str:
    """Write a model's path so that it stays right where the session that holds it is moved."""
    return (model.relative_to(folder) if model.is_relative_to(folder) else model).as_posix()


def models_of(folder: Path, record: SessionRecord, base: Path) -> list[Path]:
    """Return the models that a session used one after another, those that are still there.

    Parameters
    ----------
    folder : Path
        Of the session.
    record : SessionRecord
        What it noted; where it noted nothing, the models are the base and those of its rounds.
    base : Path
        The model that it began with.

    Returns
    -------
    list of Path
        The present one last; never empty.
    """
    rounds = (finished.checkpoint for finished in record.rounds if is_usable(finished))
    paths = [folder / path for path in record.models.used or (str(base), *rounds)]
    return [path for path in paths if path.is_file()] or [base]


def latest_models(session: Session, base: Path, others: Sequence[Found]) -> list[Path]:
    """Return the models used last in a session, or in one of the others of its folder of scans."""
    own = models_of(session.folder, session.record, base)
    latest = max(others, key=lambda found: found.record.models.noted, default=None)
    if latest is None or latest.record.models.noted <= session.models.noted:
        return own
    return models_of(latest.folder, latest.record, own[0])


def predicted_by(session: Session, base: Path) -> Path:
    """Return the model that predicted the slices to do."""
    return session.folder / (session.models.predicted_by or base)


def misfit(model: Path, categories: Sequence[Category]) -> str:
    """Say why a model cannot predict the slices of a session; empty if it can."""
    try:
        theirs = names(read_header(model).categories)
    except SegmentationError as error:
        return str(error)
    ours = names(categories)
    if theirs == ours:
        return ""
    return (
        f"{model.name} draws {', '.join(theirs)}, and the session has {', '.join(ours)}; its "
        "slices are not predicted again."
    )


class UsedModels:
    """The models that were used one after another while sessions are gone through."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        """The present one last."""
        self.place: Hashable = None
        """Where they were used: a session's folder, or a folder of scans and the categories."""

    @property
    def present(self) -> Path | None:
        """The model used last."""
        return self.paths[-1] if self.paths else None

    @property
    def can_go_back(self) -> bool:
        """Whether there was a model before the present one."""
        return len(self.paths) > 1

    def add(self, model: Path) -> None:
        """Use a model from now on."""
        self.paths.append(model)

    def go_back(self) -> bool:
        """Use the model before the present one again; return whether there is one."""
        if self.can_go_back:
            self.paths.pop()
            return True
        return False

    def go_on(self, place: Hashable, own: list[Path], chosen: Path) -> None:
        """Take up the models of a session, unless those of the same place go on.

        Parameters
        ----------
        place : hashable
            As in `place`.
        own : list of Path
            Models of the session, as `models_of` returns them.
        chosen : Path
            The model that is chosen for segmentation; if it is not the present one, nothing goes
            on.
        """
        known = self.paths if self.place == place and self.present == chosen else []
        longer = known[-1:] == own[-1:] and len(own) > len(known)
        self.paths = own if longer or not known else known
        self.place = place


def lineage(session: Session, model: Path) -> tuple[Path, list[Path]]:
    """Return the model at the root of a session's rounds, and the sessions on the way to it.

    These are the folders of sessions whose rounds made the models on the way, and of those that the
    rounds learnt from, without the session's own. A session that cannot be read any more, or a base
    that is gone, ends the way.
    """
    base, folders, seen = model, [], set[Path]()
    while model not in seen and (made := _made(model)) is not None:
        seen.add(model)
        base = Path(made.base)
        folders += [model.parents[2], *map(Path, made.sessions)]
        model = Path(made.model or made.base)
    return base, [f for f in unique(folders) if f != session.folder.resolve()]


def unique(folders: Iterable[Path]) -> list[Path]:
    """Return folders in their order, each once."""
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def _made(model: Path) -> Round | None:
    """Return the round that made a model, if there is what it started from."""
    if not is_tuned(model):
        return None
    folder = model.parents[2]
    try:
        rounds = read_record(folder).rounds
    except DataError:
        return None
    for made in rounds:
        is_it = (folder / made.checkpoint).resolve() == model.resolve()
        if is_it and Path(made.base).is_file():
            return made
    return None
