"""DICOM files and folders as scans; the user chooses the series to open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari import current_viewer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.widgets.windows import dialog_parent
from napari_unet_seg.io.dicom.frames import group_series
from napari_unet_seg.io.dicom.seg_read import is_seg, read_seg
from napari_unet_seg.io.dicom.series import choose_series, list_series, read_series
from napari_unet_seg.io.dicom.signature import is_directory_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.dicom.frames import Series


def dicom_scans(paths: Sequence[Path]) -> list[tuple[Scan, str]]:
    """Read DICOM folders and files; return each scan with a name.

    Files of one folder belong together. If there are several series, a dialog lets the user choose
    some of them; without a window several series are an error.

    Raises
    ------
    DataError
        If a file is damaged, or there are several series and no window.
    """
    scans: list[tuple[Scan, str]] = []
    folders = [p.parent if is_directory_file(p) else p for p in paths if _is_folder(p)]
    files = [p for p in paths if not _is_folder(p)]
    masks = [p for p in files if is_seg(p)]
    scans += [(read_seg(p), p.name) for p in masks]
    for folder in dict.fromkeys(p.parent for p in files if p not in masks):
        own = [p for p in files if p.parent == folder and p not in masks]
        if len(own) == 1:
            scans += _chosen(group_series(own), own[0], own[0].name)
        else:
            scans += _chosen(group_series(own), folder, folder.name)
    for folder in folders:
        scans += _chosen(list_series(folder), folder, folder.absolute().name)
    return scans


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path) or is_directory_file(path)


def _chosen(found: tuple[Series, ...], source: Path, name: str) -> list[tuple[Scan, str]]:
    if len(found) < 2 or QApplication.instance() is None or current_viewer() is None:
        return [(read_series(choose_series(found, None, source), source), name)]
    from napari_unet_seg._napari.files.series_dialog import ask_for_series

    chosen = ask_for_series(found, name, dialog_parent())
    return [(read_series(s, source), f"{name} {s.number} {s.description}".strip()) for s in chosen]
