"""The napari window of the program, with Segment docked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari
from napari.utils.notifications import notification_manager

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PLUGIN = "napari-unet-seg"
_QT5_NOTICE = "PyQt5 backend is deprecated"


def open_window(files: Iterable[Path], *, sample: bool) -> None:
    """Open files, and the sample scan if `sample`; return when the window is closed."""
    viewer = new_viewer()
    viewer.window.add_plugin_dock_widget(_PLUGIN, "Segment")
    if sample:
        viewer.open_sample(_PLUGIN, "scan")
    for file in files:
        if file.name.lower().endswith((".tif", ".tiff")):
            # napari's own reader reads neither the voxel size nor the categories of a mask.
            for data, options, kind in scan_layers(read_scan(file), file.name):
                getattr(viewer, f"add_{kind}")(data, **options)
        else:
            viewer.open(file, plugin=_reader(file))
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


def _reader(file: Path) -> str:
    """Return the plugin that reads a file; napari's own reader opens pictures."""
    named = file.is_dir() or file.name.lower().endswith((".json", ".nii", ".nii.gz"))
    return _PLUGIN if named or is_dicom(file) else "napari"
