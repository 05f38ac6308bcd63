"""The napari window of the program, with the dock of the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari
from napari.utils.notifications import notification_manager

from napari_unet_seg._napari.files.open_files import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_QT5_NOTICE = "PyQt5 backend is deprecated"


def open_window(files: Iterable[Path], *, sample: bool) -> None:
    """Open files, and the sample scan if `sample`; return when the window is closed."""
    viewer = new_viewer()
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
    if sample:
        dock.open_sample()
    dock.open_files(files)
    napari.run()


def new_viewer() -> napari.Viewer:
    """Open a window without napari's notice about PyQt5, which would cover part of the scan."""
    records, ready = notification_manager.records, notification_manager.notification_ready
    count = len(records)
    with ready.blocker():
        viewer = napari.Viewer()
    for notification in records[count:]:
        if _QT5_NOTICE not in str(notification.message):
            ready(notification)
    return viewer
