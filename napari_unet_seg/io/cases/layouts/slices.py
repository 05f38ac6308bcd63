"""The stacks of slices in a folder, as the sequences of a case, with the masks of the slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.io.cases.case import Case, Source
from napari_unet_seg.io.common.names import MASK_ENDS, masks_beside_scans, sequence_in
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.images.slice_stacks import stack_name, stacks_among

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Stacks(NamedTuple):
    """The stacks of a folder, and its other files."""

    case: Case | None
    """All stacks of the folder, each a sequence."""
    rest: list[Path]


def find_stacks(
    folder: Path, files: Sequence[Path], masks: Sequence[Path], *, of_patient: bool
) -> Stacks:
    """Find the stacks among the files of a folder, and the masks of their slices.

    Parameters
    ----------
    folder : Path
        The folder of the files.
    files : sequence of Path
        In natural order.
    masks : sequence of Path
        The files of the folder's own folder for masks, and what this program wrote into it.
    of_patient : bool
        Whether the folder is known to be that of one patient, see `stacks_among`.
    """
    by_stem = {short_name(path): path for path in (*masks_beside_scans(files), *masks)}
    sequences: dict[str, Source] = {}
    found: dict[str, Source] = {}
    used: set[Path] = set()
    names = {folder.name + end for end in MASK_ENDS}
    for start, slices in stacks_among(folder, files, of_patient=of_patient).items():
        name = sequence_in(start.removeprefix(folder.name)) or "image"
        name = name if name not in sequences else stack_name(start)
        sequences[name] = Source(slices, slices=tuple(range(len(slices))))
        key = "mask" if "mask" not in found else f"mask of {name}"
        own = {stack_name(start) + end for end in MASK_ENDS} - names
        whole = [Source((path,)) for path in (*masks, *files) if short_name(path) in own]
        for mask in (*whole[:1], _mask_of(slices, by_stem)):
            if mask is not None:
                found[f"{key} of slices" if key in found else key] = mask
                used.update(mask.files)
        used.update(slices)
    rest = [path for path in files if path not in used]
    if not sequences:
        return Stacks(None, rest)
    if of_all := [path for path in (*masks, *rest) if short_name(path) in names]:
        # Written after the masks of the slices, which it is read in place of.
        slices_own = {f"{name} of slices": mask for name, mask in found.items()}
        found = {"mask": Source((of_all[0],)), **slices_own}
        rest = [path for path in rest if path != of_all[0]]
    count = len(next(iter(sequences.values())).files)
    return Stacks(Case(folder.name, sequences, found, f"{count} numbered slices"), rest)


def _mask_of(slices: Sequence[Path], masks: dict[str, Path]) -> Source | None:
    found = {
        number: masks[short_name(path) + end]
        for number, path in enumerate(slices)
        for end in ("", *MASK_ENDS)
        if short_name(path) + end in masks
    }
    return Source(tuple(found.values()), slices=tuple(found)) if found else None
