"""Folders that napari opens: one case as layers, of several the first in the dock."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.layers.position import go_to_lesion
from napari_unet_seg._napari.plan.dialog import needs_look
from napari_unet_seg._napari.widgets.messages import show_warning
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.cases.plan import as_corrected, plan_folder, recognise_folder
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.io.dicom.signature import holds_dicom
from napari_unet_seg.io.disk.listing import entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.cases.case import Case

_MOST_FILES = 5000
"""Maximum number of files and folders in a folder of cases that a script opens."""
_MOST_SLICES = 300
"""Most files of a DICOM series that is read while the user waits, as napari reads any file."""
_DOCK = "napari-unet-seg", "U-Net Seg"
"""Plugin and name of the dock that goes through the scans of a folder."""
_NO_LAYERS: list[Any] = [(None,)]
"""What napari takes for "no layers"."""
_dropped: list[Path] = []
"""Folders that wait until napari has ended its reading."""


def has_window() -> bool:
    """Whether there is a window to ask in; scripts and notebooks read without one."""
    viewer = current_viewer()
    return QApplication.instance() is not None and getattr(viewer, "window", None) is not None


def only_case(path: Path) -> Case | None:
    """Return the case of a folder of one case; None for folders that are left to others.

    Without a window napari asks all readers, also for folders with thousands of files.
    """
    if any(True for _ in islice(path.rglob("*"), _MOST_FILES, None)):
        return None
    try:
        cases = plan_folder(path).cases
    except SegmentationError:
        return None
    return cases[0] if len(cases) == 1 else None


def is_series(path: Path) -> bool:
    """Whether a folder is read at once: one of DICOM files alone, and no more than take a moment.

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    found = entries(path)
    too_many = _user_waits() and len(found) > _MOST_SLICES
    return not too_many and not any(map(os.path.isdir, found)) and holds_dicom(path, below=False)


def read_cases(path: Path, read_dicom: Callable[[Path], list[Any]]) -> list[Any]:
    """Return the layers of one plain case; the dock opens any other folder, after a look at it.

    While the user waits, the dock finds the cases in a thread, so that the window goes on.

    Parameters
    ----------
    path : Path
        The folder.
    read_dicom : callable
        Reads a folder of DICOM, and asks which of several series is wanted.

    Raises
    ------
    DataError
        If the folder holds no scans, or a file of the case cannot be read.
    """
    if _user_waits():
        _dropped.append(path)
        if len(_dropped) == 1:  # napari reads several folders one after another
            _after_reading(_open_dropped)
        return _NO_LAYERS
    recognised = recognise_folder(path.absolute())
    plan = as_corrected(recognised)
    if len(plan.cases) > 1 or needs_look(plan):
        _after_reading(lambda dock: dock.open_plan(recognised))
        return _NO_LAYERS
    [case] = plan.cases
    is_dicom = all(source.series is not None for source in case.sequences.values())
    if is_dicom and not case.masks:
        return read_dicom(path)
    layers = case_layers(case)
    if case.masks:
        _show_lesion_after_reading(layers[-1][0])
    return layers


def _user_waits() -> bool:
    """Whether the user has opened or dropped something, and no script calls."""
    return QApplication.instance().thread().loopLevel() > 0


def _after_reading(act: Callable[[Any], None]) -> None:
    """Call a function with the dock, which adds layers too, when napari has ended its reading."""
    viewer = current_viewer()

    def show() -> None:
        _, dock = viewer.window.add_plugin_dock_widget(*_DOCK)
        act(dock)

    QTimer.singleShot(0, show)


def _show_lesion_after_reading(labels: Array) -> None:
    viewer = current_viewer()

    def show() -> None:
        for layer in viewer.layers:
            if layer.data is labels:
                go_to_lesion(viewer, layer)

    QTimer.singleShot(0, show)


def _open_dropped(dock: Any) -> None:
    first, *others = _dropped
    _dropped.clear()
    dock.open_folder(first)
    if others:
        show_warning(
            f"{first} is opened, and {counted(len(others), 'other folder')} not; open the folder "
            "that holds all of them."
        )
