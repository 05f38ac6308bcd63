"""Folders of cases that napari opens: one case as layers, of several the first in the dock."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.plan.dialog import ask_for_plan, needs_look
from napari_unet_seg._napari.plan.opened_folders import OPENED
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.cases.corrections import correct
from napari_unet_seg.io.cases.plan import plan_folder, recognise_folder
from napari_unet_seg.io.cases.remembered import recall_corrections
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan

_MOST_FILES = 5000
"""Maximum number of files and folders in a folder of cases."""
_DOCK = "napari-unet-seg", "U-Net Seg"
"""Plugin and name of the dock that goes through the scans of a folder."""


def holds_cases(path: Path) -> bool:
    """Whether a folder is read as one of cases: in a window any, in a script that of one case.

    In a window the user has chosen this reader, and reads in a sentence why a folder has no case;
    a reader that refuses then gets a traceback from napari. In a script napari asks all readers,
    also for folders with thousands of files, which are left to others.
    """
    if not path.is_dir() or is_zarr(path):
        return False
    if has_window():
        return True
    if any(True for _ in islice(path.rglob("*"), _MOST_FILES, None)):
        return False
    try:
        return len(plan_folder(path).cases) == 1
    except SegmentationError:
        return False


def holds_studies(path: Path) -> bool:
    """Whether a folder with folders of DICOM holds more than one case, in a window."""
    if not has_window() or not path.is_dir():
        return False
    try:
        has_folders = any(inside.is_dir() for inside in path.iterdir())
        return has_folders and len(plan_folder(path).cases) > 1
    except (OSError, SegmentationError):
        return False


def read_cases(path: Path) -> list[Any]:
    """Return the layers of one case; the dock opens several, after a look at the plan.

    Raises
    ------
    DataError
        If a file of the case cannot be read.
    """
    recognised = recognise_folder(path.absolute())
    plan = _seen(recognised)
    if plan is None:
        return [(None,)]  # "no layers" to napari
    if len(plan.cases) == 1:
        return case_layers(plan.cases[0])
    # After napari has ended its reading, as the dock adds layers too.
    viewer = current_viewer()
    QTimer.singleShot(0, lambda: _open_in_dock(viewer, plan))
    return [(None,)]


def has_window() -> bool:
    """Whether there is a window to ask in; scripts and notebooks read without one."""
    viewer = current_viewer()
    return QApplication.instance() is not None and getattr(viewer, "window", None) is not None


def _seen(recognised: Plan) -> Plan | None:
    """Return a plan that the user has seen, if it is not one plain case; None after Cancel."""
    plan = correct(recognised, recall_corrections(recognised.root))
    if not needs_look(plan) or not has_window():
        return plan
    return ask_for_plan(recognised, QApplication.activeWindow())


def _open_in_dock(viewer: Any, plan: Plan) -> None:
    viewer.window.add_plugin_dock_widget(*_DOCK)
    OPENED.planned.emit(viewer, plan)
