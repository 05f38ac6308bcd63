"""The content of `session.json`, and how it is read and written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from napari_unet_seg.config import Category, Config, Id, Stored, Version
from napari_unet_seg.errors import ConfigError, DataError, NewerVersionError
from napari_unet_seg.io.cases.scans import path_of
from napari_unet_seg.io.disk.files import atomic, backup_name, within
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.stored.case_files import MaskRecord, Placement, SequenceRecord
from napari_unet_seg.session.stored.moved import find_move
from napari_unet_seg.session.stored.prompts import PromptRecord
from napari_unet_seg.session.stored.scan import SESSION_FILE, ScanRecord, is_of

if TYPE_CHECKING:
    from napari_unet_seg.io.cases.case import Source


class Round(Config):
    """A fine-tuning: its model, and the Dice on the held-out slices before and after."""

    number: int
    checkpoint: str
    """The new model, relative to the session."""
    base: str
    """The model that the round started from."""
    before: float | None
    """None if nothing was held out, or the base model has other categories."""
    after: float | None
    train: int
    held_out: int
    epochs: int
    stopped: bool = False
    replayed: int = 0
    """Number of samples of the base model's training data that were trained on again."""
    old_before: float | None = None
    """Dice on held-out samples of the base model's training data; None without these data."""
    old_after: float | None = None
    old_held_out: int = 0
    model: str = ""
    """The model in use before the round, whose sessions the round learned from too."""
    sessions: tuple[str, ...] = ()
    """Folders of further sessions whose slices the round learned from."""
    unchanged: bool = False
    """Whether the new model is the base model, as no epoch was better beyond chance."""
    prompts: bool = False
    """Whether the model takes prompts, and so is a network for Point and segments nothing alone."""


COCO_COPY = "coco.json"
"""Copy of the COCO file of a session's mask, with which the file is compared when it is written."""


class CocoOrigin(Config):
    """The COCO file that a mask was drawn from."""

    path: str
    image_ids: tuple[Id, ...]
    """The image id of each slice."""
    boxes: bool = False
    """Whether annotations that have only a box were drawn as a rectangle."""
    drawn: bool = False
    """Whether the mask was drawn from the annotations; not known of older sessions."""


class Origin(Config):
    """The files that the scan and the mask were read from."""

    scan: str = ""
    """File or folder of the scan, empty if it has none."""
    channel: int | None = None
    """The channel of the scan that the session is on, if the scan has several."""
    case: str = ""
    """Name of the scan's case, if the reader of the scan knew it."""
    coco: CocoOrigin | None = None


class LayersRecord(Config):
    """Names, placement and locked categories of the layers of a session, and their colours."""

    image: str = ""
    """Name of the scan's layer."""
    mask: str = ""
    """Name of the mask's layer."""
    placement: Placement | None = None
    """None if the scan has the geometry of its file."""
    locked: tuple[int, ...] = ()
    """Labels of the locked categories."""
    palette: tuple[tuple[str, str], ...] = ()
    """Name and colour, `#rrggbb`, of each category, in the order of lists."""


class ModelHistory(Config):
    """The models that a session has used; paths inside the session are relative to it."""

    used: tuple[str, ...] = ()
    """The models one after another, the present one last; empty if never recorded."""
    noted: float = 0.0
    """Time of the last change of `used`, in seconds since 1970."""
    predicted_by: str = ""
    """The model that predicted the slices to do; empty for the session's first model."""


class SessionRecord(Stored):
    """The content of `session.json`."""

    format: Version = "2.6"
    version: str
    """Version of the package that started the session."""
    created: str
    scan: ScanRecord
    categories: tuple[Category, ...]
    first_categories: tuple[Category, ...] = ()
    """The categories at the start of the session; empty if they are the same."""
    merged: tuple[tuple[Id, Id | None], ...] = ()
    """Ids of removed categories, and of those that got their pixels; None for background."""
    checkpoint: str = ""
    """The model that made the prediction, empty if there is none."""
    checkpoint_sha256: str = ""
    states: tuple[ReviewState, ...]
    predicted_dice: tuple[float | None, ...] = ()
    """The predicted Dice of each slice; empty if no slice has one."""
    unsegmented: tuple[int, ...] = ()
    """Slices that were empty because neither a model nor a person had segmented them yet."""
    sides: dict[int, Literal["train", "valid"]] = Field(default_factory=dict)
    """The split of each slice that a round has used; a slice never changes its split."""
    only_in_point: tuple[int, ...] = ()
    """Slices that rounds of Point have used, and no round of Segment."""
    seed: int = 0
    rounds: tuple[Round, ...] = ()
    origin: Origin = Origin()
    layers: LayersRecord = LayersRecord()
    models: ModelHistory = ModelHistory()
    sequences: tuple[SequenceRecord, ...] = ()
    """The other sequences of the case, which are opened with the scan."""
    masks: tuple[MaskRecord, ...] = ()
    """The other masks of the case that are in files, which are opened with the scan."""
    carried: dict[int, int] = Field(default_factory=dict)
    """The checksum of each slice that an object was carried to, as nobody has drawn it since."""
    prompts: tuple[PromptRecord, ...] = ()
    """The prompts on the slices, in the order in which they were given."""

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Move the values that version 1 kept in `extra` to their present fields."""
        extra = dict(values.get("extra") or {})
        rest = {key: value for key, value in values.items() if key != "extra"}
        parts = {name: _moved(extra, keys) for name, keys in _FIRST_KEYS.items()}
        if coco := _moved(extra, _FIRST_COCO):
            parts["origin"]["coco"] = coco
        return {**rest, **parts}

    def is_on(self, source: Source) -> bool:
        """Whether a source is the scan of the session, or another sequence of its case."""
        if is_of(self.scan, source) or any(is_of(each.scan, source) for each in self.sequences):
            return True
        # A scan that was copied into the session is known by the place that it came from.
        is_copy = len(self.scan.paths) == 1 and not Path(self.scan.paths[0]).is_absolute()
        return is_copy and self.origin.scan == str(path_of(source))

    def marks_since(self, earlier: Self, shape: tuple[int, ...]) -> set[tuple[int, Any]]:
        """Return the decisions and prompts that differ from earlier ones, each with its slice.

        Parameters
        ----------
        earlier : SessionRecord
            An earlier record.
        shape : tuple of int
            Lengths of the scan's leading axes.
        """
        states = zip(self.states, earlier.states, strict=True)
        marks: set[tuple[int, Any]] = {(i, s) for i, (s, was) in enumerate(states) if s is not was}
        for prompt in {*self.prompts} ^ {*earlier.prompts}:
            marks |= {(index, prompt) for index in prompt.slices(shape)}
        return marks

    def with_marks_of(self, earlier: Self) -> Self:
        """Return the record with the decisions and prompts of an earlier one."""
        marks = {"states": earlier.states, "prompts": earlier.prompts}
        return self.model_copy(update=marks)

    @model_validator(mode="after")
    def _check_score_count(self) -> Self:
        if len(self.predicted_dice) not in (0, len(self.states)):
            raise ValueError(
                f"predicted_dice has {len(self.predicted_dice)} scores for {len(self.states)} "
                "slices"
            )
        return self


_FIRST_KEYS: dict[str, dict[str, str]] = {
    "origin": {"scan": "source", "channel": "channel"},
    "layers": {"image": "image", "mask": "mask", "placement": "placement", "locked": "locked"},
    "models": {"used": "models", "noted": "models_noted", "predicted_by": "predicted_by"},
}
"""Keys of `extra` in version 1, by the present part of the record and its field."""
_FIRST_COCO = {"path": "coco", "image_ids": "image_ids", "boxes": "boxes"}


def _moved(extra: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    return {name: extra[key] for name, key in keys.items() if key in extra}


def read_record(folder: Path) -> SessionRecord:
    """Read `session.json`; if the session was moved with its scan, with the paths as they are now.

    Raises
    ------
    DataError
        If the file is missing, damaged or of a newer version.
    """
    path = folder / SESSION_FILE
    if not os.path.isfile(path):  # also if the folder may not be read
        raise DataError(f"{folder} holds no {SESSION_FILE}; choose the folder of a session.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return _found(SessionRecord.parse(values, str(path)), folder)
    except NewerVersionError as error:
        raise DataError(str(error)) from error
    except (OSError, ValueError, TypeError, OverflowError, RecursionError, ConfigError) as error:
        reason = " ".join(str(error).replace(f"{path}: ", "").split())[:200].rstrip(".")
        raise DataError(
            f"{path} is damaged ({reason}); replace it by {backup_name(path).name}, its previous "
            "version."
        ) from error


def _found(record: SessionRecord, folder: Path) -> SessionRecord:
    paths = record.scan.paths
    if (
        not paths
        or (folder / paths[0]).exists()
        or (move := find_move(record.scan, folder)) is None
    ):
        return record
    scan = record.scan.model_copy(update={"paths": tuple(map(move.path, paths))})
    origin = record.origin.model_copy(update={"scan": move.path(record.origin.scan)})
    if (coco := origin.coco) is not None:
        coco = coco.model_copy(update={"path": move.path(coco.path)})
        origin = origin.model_copy(update={"coco": coco})
    others = {
        "sequences": tuple(each.moved(move) for each in record.sequences),
        "masks": tuple(each.moved(move) for each in record.masks),
    }
    return record.model_copy(update={"scan": scan, "origin": origin, **others})


def write_record(folder: Path, record: SessionRecord) -> None:
    """Write `session.json` whole or not at all, and keep its previous version."""
    with atomic(within(folder, folder / SESSION_FILE), keep=True) as path:
        record.to_file(path)
