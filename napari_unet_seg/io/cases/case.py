"""A case, one examination of a patient, and the plan of a folder of cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the pixels of a sequence or of a mask lie."""

    files: tuple[Path, ...]
    """A file, or the folder of a DICOM series or OME-Zarr; or the slices of a stack, in order."""
    channel: int | None = None
    """Which channel of the file; None takes the whole file."""
    series: str | None = None
    """Key of the DICOM series in the folder, see `list_series`."""
    slices: tuple[int, ...] | None = None
    """Number of the slice in its stack that each file holds; None for files of whole volumes."""
    unreviewed: int | None = None
    """Label of unreviewed pixels, if the mask has another one for them than `IGNORE_INDEX`."""
    categories: tuple[tuple[int, str], ...] = ()
    """Value and name of each label of a mask, where the layout tells them."""
    why: str = field(default="", compare=False)
    """Why it belongs to its case, if not for what the case was recognised by."""


@dataclass(frozen=True, slots=True)
class Case:
    """One examination of a patient: its sequences and its masks."""

    name: str
    """Unique in its plan, and fit for the name of a file."""
    sequences: dict[str, Source]
    """By name: `T1`, `T1c`, `T2`, `FLAIR`, or what the file's name says."""
    masks: dict[str, Source] = field(default_factory=dict)
    """By name; the first one is the mask to train on. In a stack, slices may have no mask."""
    why: str = ""
    """What the case was recognised by."""
    patient: str = ""
    """Cases of one patient are never on both sides of a split."""
    visit: str = ""
    split: Split | None = None
    """Side that the folder's layout assigns; None if it does not."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that no case uses, and the reason."""

    path: Path
    reason: str
    is_problem: bool = False
    """Whether the file or folder is a scan that cannot be read."""
    is_mask: bool = False
    """Whether it is a mask, of which no scan was found."""
    source: Source | None = None
    """What the user left out, if it is a stack, a series or a channel."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the files of a folder are taken for, before any of them is loaded."""

    root: Path
    layout: str
    """Name of the layout that was recognised."""
    why: str
    """How it was recognised."""
    cases: tuple[Case, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def categories(self) -> tuple[tuple[int, str], ...]:
        """Value and name of each label, where the layout tells them."""
        masks = (mask for case in self.cases for mask in case.masks.values())
        return next((mask.categories for mask in masks if mask.categories), ())

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of all sequences, in the order of their first case."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.sequences))


_FIRST = ("T1c", "FLAIR", "T2", "T1")
"""Sequences by how well most lesions show; the bundled model knows T1 with contrast agent."""


def usual_order(sequences: dict[str, Source]) -> dict[str, Source]:
    """Return the sequences of a case with the usual ones first, the others as they were."""
    rank = {name: at for at, name in enumerate(_FIRST)}
    return dict(sorted(sequences.items(), key=lambda item: rank.get(item[0], len(_FIRST))))
