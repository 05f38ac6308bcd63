"""The plan of a folder: what its files are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.layouts import bids, nnunet, pair_folders, patients
from napari_unet_seg.io.cases.tree import list_tree
from napari_unet_seg.io.find import no_scans

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan

_LAYOUTS = (nnunet.plan, bids.plan, pair_folders.plan, patients.plan)
"""The special before the general: each returns None for folders of another layout."""


def plan_folder(root: Path) -> Plan:
    """Plan a folder from the names of its files; no pixels are read.

    Raises
    ------
    DataError
        If the folder cannot be read, holds no scans, or its description is damaged.
    """
    tree = list_tree(root)
    for layout in _LAYOUTS:
        if (plan := layout(tree)) is not None:
            return plan
    raise no_scans(root)
