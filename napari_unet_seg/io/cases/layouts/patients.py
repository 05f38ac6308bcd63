"""Folders as people sort them by hand: a folder for each patient or visit, or all files in one.

Among them are the folders of BraTS (`*_flair.nii.gz`, `*-t2f.nii.gz`, `*_seg.nii.gz`) and of the
slices of TCGA (`name_1.tif`, `name_1_mask.tif`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.case import Case, LeftOut, Plan, Source
from napari_unet_seg.io.cases.layouts.slices import find_stacks
from napari_unet_seg.io.cases.layouts.volumes import group_files
from napari_unet_seg.io.common.names import free_name, is_visit, patient_in
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.provenance import is_written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.io.cases.tree import Tree

_MASK_FOLDERS = ("mask", "masks", "label", "labels", "segmentation", "segmentations")


def plan(tree: Tree) -> Plan | None:
    """Plan any folder with scans; None if there are none."""
    cases: list[Case] = []
    left_out: list[LeftOut] = []
    masks_of: dict[Path, list[Path]] = {}
    for folder, files in tree.folders.items():
        if _is_of_masks(folder) and tree.folders.get(folder.parent):
            masks_of.setdefault(folder.parent, []).extend(files)
    for folder, files in tree.folders.items():
        if folder.parent in masks_of and _is_of_masks(folder):
            continue  # read with the folder of its scans
        if _is_of_masks(folder) and folder != tree.root:
            reason = "in a folder of masks, and no scan has its name"
            left_out += [LeftOut(path, reason, is_mask=True) for path in files]
            continue
        is_below = folder != tree.root
        found, unused = _cases(folder, files, masks_of.get(folder, []), of_patient=is_below)
        cases += [_placed(tree, folder, case) for case in found]
        left_out += unused
    if not cases and not tree.dicom:  # masks of scans that are elsewhere may be what is meant
        cases = [Case(short_name(left.path), {"image": Source((left.path,))}) for left in left_out]
        cases, left_out = [replace(case, patient=case.name) for case in cases], []
    if not cases and not left_out:
        return None
    why = "names of folders and files"
    return Plan(tree.root, "patients", why, tuple(_unique(cases)), tuple(left_out))


def _cases(
    folder: Path, files: tuple[Path, ...], masks: list[Path], *, of_patient: bool
) -> tuple[list[Case], list[LeftOut]]:
    written = [path for path in files if is_written(path)]
    scans = tuple(path for path in files if path not in written)
    stack, rest = find_stacks(folder, scans, [*masks, *written], of_patient=of_patient)
    if stack is None:
        return group_files(folder, rest, [*masks, *written], of_patient=of_patient)
    used = {path for mask in stack.masks.values() for path in mask.files}
    unused = [path for path in written if path not in used]
    more, left_out = group_files(folder, rest, unused, of_patient=of_patient)
    return [stack, *more], left_out


def _is_of_masks(folder: Path) -> bool:
    return folder.name.lower() in _MASK_FOLDERS


def _placed(tree: Tree, folder: Path, case: Case) -> Case:
    """Return a case with its patient and visit, from its name or the names of its folders."""
    places = folder.relative_to(tree.root.parent).parts
    for name in (case.name, *reversed(places)):
        patient, visit = patient_in(name)
        if patient:
            return replace(case, patient=patient, visit=visit)
    if len(places) > 2 and case.name == places[-1] and is_visit(case.name):
        patient, visit = places[-2:]
        return replace(case, name=f"{patient}_{visit}", patient=patient, visit=visit)
    return replace(case, patient=case.name)


def _unique(cases: list[Case]) -> Iterator[Case]:
    """Yield the cases; a name that comes again gets the name of its folder and a number."""
    counts = Counter(case.name for case in cases)
    taken: set[str] = set()
    for case in cases:
        folder = next(iter(case.sequences.values())).files[0].parent.name
        name = case.name if counts[case.name] == 1 else f"{folder}_{case.name}"
        name = free_name(name, taken)
        taken.add(name)
        yield replace(case, name=name)
