"""Files that are whole by themselves, as volumes or as images, sorted into cases by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.case import Case, LeftOut, Source, usual_order
from napari_unet_seg.io.common.names import (
    masks_beside_scans,
    names_mask,
    natural,
    sequence_in,
    without_kind,
)
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.provenance import is_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


_ANATOMY = frozenset(
    "brain lesion lesions tumor tumour whole core enhancing edema oedema final manual".split()
)
"""Words in the names of masks that tell what is drawn, and not whose it is."""


def group_files(
    folder: Path, files: Sequence[Path], masks: Sequence[Path], *, of_patient: bool
) -> tuple[list[Case], list[LeftOut]]:
    """Sort the files of a folder into cases.

    The folder is one case if each of its scans names another sequence. Else scans are one case if
    their names are the same without the words for sequences; a scan whose name tells no sequence
    is a case of its own.

    Parameters
    ----------
    folder : Path
        The folder of the files.
    files : sequence of Path
        Scans and masks.
    masks : sequence of Path
        The files of the folder's own folder for masks, and what this program wrote into it.
    of_patient : bool
        Whether the folder is known to be that of one patient.
    """
    beside = set(masks_beside_scans(files))
    is_mask = {path: path in beside or names_mask(short_name(path)) for path in files}
    own_masks = [path for path in files if is_mask[path]]
    scans = [path for path in files if not is_mask[path]]
    if not scans:
        return [], [_without_scan(path) for path in (*own_masks, *masks)]
    groups = _groups(folder, scans)
    found: dict[str, dict[str, Source]] = {name: {} for name in groups}
    by_scan = {short_name(path): name for name, scans in groups.items() for path in scans}
    left_out = []
    for mask in sorted(
        (*own_masks, *masks), key=lambda p: ("brain" in p.name.lower(), natural(p.name))
    ):
        owner = _owner(mask, groups, by_scan)
        if owner is not None:
            found[owner][_mask_name(mask, groups[owner])] = Source((mask,))
        elif len(groups) == 1 and not _is_of_another(mask, [] if of_patient else scans):
            [(name, only)] = groups.items()
            found[name][_mask_name(mask, only)] = Source((mask,), why="beside the only case here")
        else:
            left_out.append(_without_scan(mask))
    cases = [_case(name, scans, found[name]) for name, scans in groups.items()]
    return cases, left_out


def _groups(folder: Path, scans: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the scans of each case by the case's name."""
    if _are_sequences(scans):
        return {folder.name: list(scans)}
    by_name: dict[str, list[Path]] = {}
    for path in scans:
        by_name.setdefault(without_kind(short_name(path)), []).append(path)
    groups: dict[str, list[Path]] = {}
    for name, members in by_name.items():
        if name and _are_sequences(members):
            groups[name] = members
        else:
            groups |= {short_name(path): [path] for path in members}
    return groups


def _are_sequences(scans: Iterable[Path]) -> bool:
    """Whether each name tells a sequence, and none the same."""
    names = [sequence_in(short_name(path)) for path in scans]
    return None not in names and len(set(names)) == len(names)


def _owner(mask: Path, groups: dict[str, list[Path]], by_scan: dict[str, str]) -> str | None:
    """Return the case of a mask: of its name, or of the longest scan it starts with."""
    name, plain = short_name(mask), without_kind(short_name(mask))
    # Whole words: `a_10_mask` belongs to no scan `a_1`.
    ends = (end for end in range(len(name), 0, -1) if not name[end - 1 : end + 1].isalnum())
    starts = (name, *(name[:end] for end in ends))
    named = next((by_scan[start] for start in starts if start in by_scan), None)
    return plain if plain in groups else named


def _without_scan(mask: Path) -> LeftOut:
    if is_written(mask):  # the masks of a prediction are no truth for scans of other folders
        return LeftOut(mask, "written by this program, for no scan that is here")
    return LeftOut(mask, "named as a mask, and no scan has its name", is_mask=True)


def _is_of_another(mask: Path, scans: Sequence[Path]) -> bool:
    """Whether a mask was predicted under another name, or has words that no scan here has."""
    if is_written(mask):
        return True
    known = {word for path in scans for word in _words(path)}
    return bool(known) and not known.union(_ANATOMY).issuperset(_words(mask))


def _words(path: Path) -> list[str]:
    return re.findall("[a-z0-9]+", without_kind(short_name(path)).lower())


def _mask_name(mask: Path, scans: Sequence[Path]) -> str:
    name = short_name(mask)
    for scan in scans:
        name = name.removeprefix(short_name(scan))
    return name.removeprefix(without_kind(name)).strip("_-. ") or name.strip("_-. ") or "mask"


def _case(name: str, scans: Sequence[Path], masks: dict[str, Source]) -> Case:
    sequences = {sequence_in(short_name(path)) or "image": Source((path,)) for path in scans}
    why = "names of sequences" if len(scans) > 1 else "a file of its own"
    return Case(name, usual_order(sequences), masks, why)
