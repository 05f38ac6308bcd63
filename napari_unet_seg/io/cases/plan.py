"""The plan of a folder: what its files are taken for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Plan
from napari_unet_seg.io.cases.corrections import correct, with_first_sequence
from napari_unet_seg.io.cases.far_masks import with_far_masks
from napari_unet_seg.io.cases.layouts import (
    bids,
    dicom_studies,
    nnunet,
    ours,
    pair_folders,
    patients,
)
from napari_unet_seg.io.cases.remembered import recall_corrections, recall_sequence
from napari_unet_seg.io.cases.tree import list_tree
from napari_unet_seg.io.common.steps import result_of, with_progress
from napari_unet_seg.io.find import no_scans

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg.events import Progress

_LAYOUTS = (nnunet.plan, ours.plan, bids.plan, pair_folders.plan, patients.plan)
"""The special before the general: each returns None for folders of another layout."""


def plan_folder(root: Path) -> Plan:
    """Plan a folder as it was recognised, with the corrections that the user made before.

    Raises
    ------
    DataError
        If the folder cannot be read, holds no scans, or its description is damaged.
    """
    return as_corrected(recognise_folder(root))


def as_corrected(recognised: Plan) -> Plan:
    """Return a recognised plan with what the user said of its folder before."""
    plan = correct(recognised, recall_corrections(recognised.root))
    return with_first_sequence(plan, recall_sequence(recognised.root))


def recognise_folder(root: Path) -> Plan:
    """Plan a folder from the names of its files and the headers of DICOM; no pixels are read.

    Raises
    ------
    DataError
        If the folder cannot be read, holds no scans, or its description is damaged.
    """
    return result_of(recognising(root))


def recognising(root: Path) -> Generator[Progress, Any, Plan]:
    """Plan a folder as `recognise_folder`, and yield how many files were looked at."""
    tree = yield from with_progress(list_tree(root))
    studies, unread = yield from with_progress(dicom_studies.cases(tree), len(tree.dicom))
    left_out = [*tree.unreadable, *unread]
    plans = (layout(tree) for layout in _LAYOUTS)
    plan = next((plan for plan in plans if plan is not None), None)
    if not studies and not (plan and plan.cases):
        raise DataError(left_out[0].reason) if left_out else no_scans(root)
    if plan is None:
        return Plan(root, "DICOM", "headers of DICOM files", tuple(studies), tuple(left_out))
    both = replace(plan, cases=(*plan.cases, *studies), left_out=(*plan.left_out, *left_out))
    return with_far_masks(both)
