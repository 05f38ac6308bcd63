"""Masks told by the name of a case: in a folder of their own, or saved into that of a series.

`images/p1` of DICOM has its mask in `masks/p1.nii`, for example, or in `images/p1/p1_mask.nii`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.common.names import MASK_ENDS
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Case, Plan


def with_far_masks(plan: Plan) -> Plan:
    """Give the masks without a scan to the cases whose names they have, if these have no mask.

    Of what this program wrote only masks in the folder of the case are taken: those of a prediction
    are no truth for scans of other folders.
    """
    named = {left.path: _named(left.path) for left in plan.left_out}
    masks = [left.path for left in plan.left_out if left.is_mask]
    written = [left.path for left in plan.left_out if not left.is_mask]
    cases: list[Case] = []
    used: set[Path] = set()
    for case in plan.cases:
        names = set(_names(case))
        inside = [path for path in written if path.parent in _folders(case)]
        own = _unused(masks, named, names, used) or _unused(inside, named, names, used)
        if len(own) == 1 and not case.masks:
            used.update(own)
            source = Source((own[0],), why="a mask of the same name")
            case = replace(case, masks={"mask": source})
        cases.append(case)
    left_out = tuple(left for left in plan.left_out if left.path not in used)
    return replace(plan, cases=tuple(cases), left_out=left_out)


def _unused(
    paths: Iterable[Path], named: Mapping[Path, str], names: set[str], used: set[Path]
) -> list[Path]:
    return [path for path in paths if named[path] in names and path not in used]


def _folders(case: Case) -> set[Path]:
    """Return the folders that are scans of a case, as those of DICOM series are."""
    return {file for source in case.sequences.values() for file in source.files if file.is_dir()}


def _names(case: Case) -> Iterator[str]:
    """Yield the names that a mask of a case may have: of the case, of its files and folders."""
    yield case.name.lower()
    for source in case.sequences.values():
        yield short_name(source.files[0]).lower()


def _named(mask: Path) -> str:
    name = short_name(mask).lower()
    end = next((end for end in MASK_ENDS if name.endswith(end)), "")
    return name.removesuffix(end)
