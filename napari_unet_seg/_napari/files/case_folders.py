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

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan

_MOST_FILES = 5000
"""Maximum number of files and folders in a folder of cases."""
_DOCK = "napari-unet-seg", "U-Net Seg"
"""Plugin and name of the dock that goes through the scans of a folder."""


def holds_cases(path: Path) -> bool:
    """Whether a folder holds a case; in a window, several too.

    A folder with thousands of files holds none: napari asks for every folder, on its own thread.
    """
    if not path.is_dir() or any(True for _ in islice(path.rglob("*"), _MOST_FILES, None)):
        return False
    try:
        plan = plan_folder(path)
    except SegmentationError:
        return False
    return len(plan.cases) == 1 or has_window()


def holds_studies(path: Path) -> bool:
    """Whether a folder with folders of DICOM holds more than one case, in a window."""
    if not has_window() or not path.is_dir() or not any(p.is_dir() for p in path.iterdir()):
        return False
    try:
        return len(plan_folder(path).cases) > 1
    except SegmentationError:
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
