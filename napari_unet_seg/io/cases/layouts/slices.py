"""Stacks whose slices are files of their own: `x_1.tif`, `x_2.tif`, `x_10.tif`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.io.cases.case import Case, Source
from napari_unet_seg.io.cases.names import numbered, sequence_in
from napari_unet_seg.io.cases.tree import stem
from napari_unet_seg.io.find import MASK_ENDS, masks_beside_scans
from napari_unet_seg.io.images.photographs import SUFFIXES, TIFF_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FEWEST = 3
"""Fewer files of one name and several numbers are images of their own."""
_COLLECTIONS = frozenset(
    "image images img imgs scan scans slice slices data train valid val test".split()
)
"""Names of folders that hold images of many patients."""
_SLICE_STARTS = frozenset(("", "slice", "im", "img", "image", "z", "i"))
"""What the names of a stack's slices start with if they do not name the patient."""


class Stacks(NamedTuple):
    """The stacks of a folder, and its other files."""

    case: Case | None
    """All stacks of the folder, each a sequence."""
    rest: list[Path]


def find_stacks(folder: Path, files: Sequence[Path], masks: Sequence[Path]) -> Stacks:
    """Find the stacks among the files of a folder, and the masks of their slices.

    Files form a stack if their names differ only in the number at the end, and start with the name
    of the folder, or with a word for a slice in a folder that is not a collection.

    Parameters
    ----------
    folder : Path
        The folder of the files.
    files : sequence of Path
        In natural order.
    masks : sequence of Path
        The files of the folder's own folder for masks.
    """
    pictures = [p for p in files if p.name.lower().endswith((*SUFFIXES, *TIFF_SUFFIXES))]
    beside = dict.fromkeys(masks_beside_scans(pictures))
    stacks: dict[str, dict[int, Path]] = {}
    for path in pictures:
        own = numbered(stem(path))
        if own is not None and path not in beside and _is_of(folder, own.start):
            stacks.setdefault(own.start, {})[own.number] = path
    by_stem = {stem(path): path for path in (*beside, *masks)}
    sequences: dict[str, Source] = {}
    found: dict[str, Source] = {}
    used: set[Path] = set()
    for start, by_number in stacks.items():
        if len(by_number) < _FEWEST:
            continue
        slices = tuple(by_number.values())
        name = sequence_in(start.removeprefix(folder.name)) or "image"
        name = name if name not in sequences else start.strip("_-. ")
        sequences[name] = Source(slices, slices=tuple(range(len(slices))))
        mask = _mask_of(slices, by_stem)
        if mask is not None:
            found["mask" if "mask" not in found else f"mask of {name}"] = mask
            used.update(mask.files)
        used.update(slices)
    rest = [path for path in files if path not in used]
    if not sequences:
        return Stacks(None, rest)
    count = len(next(iter(sequences.values())).files)
    return Stacks(Case(folder.name, sequences, found, f"{count} numbered slices"), rest)


def _is_of(folder: Path, start: str) -> bool:
    """Whether a name's start says that its slices belong to the patient of the folder."""
    named, own = start.strip("_-. ").lower(), folder.name.lower()
    if named and (own.startswith(named) or named.startswith(own)):
        return True
    is_kind = named in _SLICE_STARTS or sequence_in(named) is not None
    return is_kind and own not in _COLLECTIONS


def _mask_of(slices: Sequence[Path], masks: dict[str, Path]) -> Source | None:
    found = {
        number: masks[stem(path) + end]
        for number, path in enumerate(slices)
        for end in ("", *MASK_ENDS)
        if stem(path) + end in masks
    }
    return Source(tuple(found.values()), slices=tuple(found)) if found else None
