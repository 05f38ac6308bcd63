"""What `session.json` holds."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from napari_unet_seg.config import Category, Config, Stored, Version
from napari_unet_seg.errors import ConfigError, DataError, NewerVersionError
from napari_unet_seg.io.common.files import atomic, backup_name, write_error
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.scan import NAME, ScanRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Round(Config):
    """One fine-tuning: its model, and the Dice on the held-out slices before and after."""

    number: int
    checkpoint: str
    """The new model, relative to the session."""
    base: str
    """The model it started from."""
    before: float | None
    """None where nothing was held out, or the base model has other categories."""
    after: float | None
    train: int
    held_out: int
    epochs: int
    stopped: bool = False
    replayed: int = 0
    """Samples of the earlier data that were trained on again."""
    old_before: float | None = None
    """Dice on held-out samples of the earlier data; None where they were not at hand."""
    old_after: float | None = None
    old_held_out: int = 0
    model: str = ""
    """The model in use before, whose sessions it learnt from too."""
    sessions: tuple[str, ...] = ()
    """Folders of further sessions whose slices it learnt from."""


class CocoOrigin(Config):
    """The COCO file that a mask was drawn from."""

    path: str
    image_ids: tuple[int, ...]
    """One a slice."""
    boxes: bool = False
    """Whether annotations that have only a box were drawn as a rectangle."""


class Origin(Config):
    """What the scan and the mask were read from."""

    scan: str = ""
    """File or folder of the scan, empty where there is none."""
    channel: int | None = None
    """The channel of it that the session is on, where it has several."""
    coco: CocoOrigin | None = None


class Placement(Config):
    """Where a layer lies in the world; see napari's layers."""

    scale: tuple[float, ...]
    translate: tuple[float, ...]
    rotate: tuple[tuple[float, ...], ...]
    shear: tuple[float, ...] | tuple[tuple[float, ...], ...]
    affine: tuple[tuple[float, ...], ...]
    units: tuple[str, ...]
    """One an axis."""


class LayersRecord(Config):
    """How the scan and the mask are shown."""

    image: str = ""
    """Name of the scan's layer."""
    mask: str = ""
    """Name of the mask's layer."""
    placement: Placement | None = None
    """None where the scan lies where its file says."""
    locked: tuple[int, ...] = ()
    """Label values of the categories that are locked."""


class ModelHistory(Config):
    """The models that a session has used; paths inside the session are relative to it."""

    used: tuple[str, ...] = ()
    """One after another, the present one last; empty where they were never noted."""
    noted: float = 0.0
    """When they were noted, in seconds since 1970."""
    predicted_by: str = ""
    """The model that predicted the slices to do; empty for the one that the session began with."""


class SessionRecord(Stored):
    """The content of `session.json`."""

    format: Version = 2
    version: str
    """Version of the package that started the session."""
    created: str
    scan: ScanRecord
    categories: tuple[Category, ...]
    checkpoint: str = ""
    """The model that made the prediction, empty where none is known."""
    checkpoint_sha256: str = ""
    states: tuple[ReviewState, ...]
    predicted_dice: tuple[float | None, ...] = ()
    """How well the network thinks that each slice's mask fits; empty where it told nothing."""
    sides: dict[int, Literal["train", "valid"]] = Field(default_factory=dict)
    """Slices that a round has used; each stays on its side for good."""
    seed: int = 0
    rounds: tuple[Round, ...] = ()
    origin: Origin = Origin()
    layers: LayersRecord = LayersRecord()
    models: ModelHistory = ModelHistory()

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Give what version 1 kept in `extra` the places that it has now."""
        extra = dict(values.get("extra") or {})
        rest = {key: value for key, value in values.items() if key != "extra"}
        parts = {name: _moved(extra, keys) for name, keys in _FIRST_KEYS.items()}
        if coco := _moved(extra, _FIRST_COCO):
            parts["origin"]["coco"] = coco
        return {**rest, **parts}

    @model_validator(mode="after")
    def _one_figure_a_slice(self) -> Self:
        if len(self.predicted_dice) not in (0, len(self.states)):
            raise ValueError(
                f"predicted_dice has {len(self.predicted_dice)} figures for {len(self.states)} "
                "slices"
            )
        return self


_FIRST_KEYS: dict[str, dict[str, str]] = {
    "origin": {"scan": "source", "channel": "channel"},
    "layers": {"image": "image", "mask": "mask", "placement": "placement", "locked": "locked"},
    "models": {"used": "models", "noted": "models_noted", "predicted_by": "predicted_by"},
}
"""Keys of `extra` in version 1, by the part of the record and the field that hold them now."""
_FIRST_COCO = {"path": "coco", "image_ids": "image_ids", "boxes": "boxes"}


def _moved(extra: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    return {name: extra[key] for name, key in keys.items() if key in extra}


def read_record(folder: Path) -> SessionRecord:
    """Read `session.json`.

    Raises
    ------
    DataError
        If there is none, or it is damaged or of a newer version.
    """
    path = folder / NAME
    if not path.is_file():
        raise DataError(f"{folder} holds no {NAME}; choose the folder of a session.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return SessionRecord.parse(values, str(path))
    except NewerVersionError as error:
        raise DataError(str(error)) from error
    except (OSError, ValueError, TypeError, OverflowError, RecursionError, ConfigError) as error:
        reason = " ".join(str(error).replace(f"{path}: ", "").split())[:200].rstrip(".")
        raise DataError(
            f"{path} is damaged ({reason}); put {backup_name(path).name}, its version before, "
            "in its place."
        ) from error


def write_record(folder: Path, record: SessionRecord) -> None:
    """Write `session.json` whole or not at all, and keep the version before."""
    with atomic(folder / NAME, keep=True) as path:
        record.to_file(path)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder beside the wanted one, and give it its name once it is whole."""
    if (folder / NAME).is_file():
        raise DataError(f"{folder} holds a session already; open it or choose another folder.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is in use for other files; choose a new or empty folder.")
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def new_round_folder(session: Path, after: int = 0) -> Path:
    """Make the folder of a session's next round of fine-tuning, numbered above `after`."""
    rounds = session / "rounds"
    used = [int(p.name) for p in rounds.glob("*") if p.name.isdigit()]
    folder = rounds / f"{max([after, *used]) + 1:02d}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder
